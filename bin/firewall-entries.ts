import { type Failure, failure } from '../domain/failure.ts';
import type { Family } from '../domain/firewall/texts.ts';
import type { VmName } from '../domain/names.ts';
import { addressOf } from '../domain/network/addresses.ts';
import { netvmOf, runs } from '../domain/network/network.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, expectWords, usage } from '../infrastructure/cli/arguments.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { out, outJson, talk } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { openReading, type Reading } from './compose.ts';

const FAMILIES: readonly Family[] = [4, 6];

const familiesIn = (args: Arguments): Result<readonly Family[], Failure> => {
  const text = args.text('family');
  if (text === undefined) return ok(FAMILIES);
  const family = FAMILIES.find((one) => `${one}` === text);
  return family ? ok([family]) : err(usage('--family takes 4 or 6', 'firewall'));
};

type Found = {
  readonly netvm: string | null;
  readonly note: string | null;
  readonly entries: Readonly<Record<string, string>>;
};

const readEntries = async (
  { host, home, past, live }: Reading,
  name: string,
  families: readonly Family[],
): Promise<Result<Found, Failure>> => {
  const vm = host.vms.get(name as VmName);
  if (!vm) return err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: 'domtrail vm list' }));
  const netvm = netvmOf(host, vm);
  if (!netvm) return ok({ netvm: null, note: `${name} has no netvm, so nobody reads its rules`, entries: {} });
  if (past)
    return err(usage('firewall entries shows what lies in QubesDB now; it has no past: firewall get --at', 'firewall'));
  if (!live) return err(usage('firewall entries shows what lies in QubesDB here; a copy has none', 'firewall'));
  if (!runs(netvm)) {
    return ok({ netvm: netvm.name, note: `${netvm.name} does not run; its start publishes the rules`, entries: {} });
  }
  const { qubesDbAt } = await import('../infrastructure/qubesdb/choose.ts');
  const db = qubesDbAt(home.qubesDb);
  const entries = new Map<string, string>();
  for (const family of families) {
    const address = addressOf(host, vm, family);
    if (address === null) continue;
    const read = await db.read(netvm.name, `/qubes-firewall/${address}`);
    if (!read.ok) return read;
    for (const [path, value] of read.value) entries.set(path, value);
  }
  await db.close();
  const note = entries.size > 0 || runs(vm) ? null : `${name} does not run; its start publishes the rules`;
  return ok({ netvm: netvm.name, note, entries: Object.fromEntries(entries) });
};

/** What lies in the QubesDB of a VM's netvm for its addresses, whoever wrote it. */
export const entriesWith = (help: string): Action => ({
  options: { family: 'value' },
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['VM'], 'firewall');
    if (!words.ok) return words;
    const families = familiesIn(args);
    if (!families.ok) return families;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    closeLedger(reading.value.ledger);
    const [name = ''] = words.value;
    const found = await readEntries(reading.value, name, families.value);
    if (!found.ok) return found;
    const { netvm, note, entries } = found.value;
    if (args.flag('json')) outJson('firewall-entries', reading.value.asOf, { item: { vm: name, netvm, entries } });
    else
      out(
        Object.entries(entries)
          .map(([path, value]) => `${path} = ${escapeText(value)}\n`)
          .join(''),
      );
    if (note !== null) talk(`note: ${note}\n`);
    return ok(0);
  },
});
