import { formatBytes } from '../../domain/bytes.ts';
import { failure } from '../../domain/failure.ts';
import { type Keeping, revisionsKept, trashKept } from '../../domain/host/retention.ts';
import { err, ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../../infrastructure/cli/output.ts';
import { localTime, table, utcTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { openReading } from '../compose.ts';
import { scarcePools } from '../pools-seen.ts';

const HELP = `domtrail retention: what is kept besides the state in use, and what may go

  domtrail retention                   every revision, and the trash
  domtrail retention work:private      of a volume; also of a VM

A revision goes with the next change of its volume that keeps another one, by
revisions_to_keep; volume pin keeps it. Trash goes with gc.
`;

const FATES: Readonly<Record<Keeping['goes'], string>> = {
  gc: 'goes with the next gc',
  change: 'goes with the next change',
  stays: 'stays',
};

const fateText = ({ goes, until }: Keeping): string =>
  goes === 'stays' && until !== null ? `stays until ${localTime(until)}` : FATES[goes];

const isOf =
  (object: string | undefined) =>
  (one: Keeping): boolean =>
    object === undefined || one.object === object || one.object.startsWith(`${object}:`);

const itemOf = (one: Keeping) => ({
  ...one,
  since: utcTime(one.since),
  until: one.until === null ? null : utcTime(one.until),
});

const retention: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'retention', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger, past } = reading.value;
    closeLedger(ledger);
    const [object] = words.value;
    const elsewhere = past || args.text('db') !== undefined;
    const scarce = elsewhere ? new Set<never>() : await scarcePools(host);
    const now = elsewhere ? (asOf.time ?? 0) : Date.now();
    const kept = [...revisionsKept(host), ...trashKept(host, { now, scarce, all: false })].filter(isOf(object));
    const known = object === undefined || kept.length > 0 || host.vms.has(object.split(':')[0] as never);
    if (!known) return err(failure('D_NOT_FOUND', `there is no ${object}`, { next: 'domtrail volume list' }));
    if (args.flag('json')) outJson('retention', asOf, { item: { object: object ?? null, kept: kept.map(itemOf) } });
    else {
      const rows = kept.map((one) => [
        one.object,
        one.is === 'trash' ? 'trash' : `revision ${one.id}`,
        formatBytes(one.bytes),
        localTime(one.since),
        fateText(one),
        one.because,
      ]);
      out(table(['OBJECT', 'KEPT', 'SIZE', 'SINCE', 'FATE', 'BECAUSE'], rows, lineWidth()));
    }
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(retention, 'retention', argv);
