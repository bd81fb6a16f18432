import type { CommandName } from '../domain/command/registry.ts';
import type { Verdict } from '../domain/decision.ts';
import type { Fact } from '../domain/event.ts';
import { type Failure, failure } from '../domain/failure.ts';
import type { VmName } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { bind } from '../domain/steps.ts';
import { wordsOf } from '../domain/words.ts';
import { type Arguments, usage } from '../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { eventsBetween } from '../infrastructure/ledger/fold.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import type { Drift } from '../infrastructure/service/drift.ts';
import { foreignRules } from '../infrastructure/service/firewall-drift.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { built } from './changing.ts';
import { openReading, openService } from './compose.ts';
import { adoptDocument, repairDocument } from './drift-document.ts';
import { driftFound, isAbout } from './drift-found.ts';

const isFact = ({ type }: { readonly type: string }): boolean => !/^(?:Command|Step|Undo)/.test(type);

/** What the log got since a position, a line each. */
const shownSince = ({ ledger }: Service, position: number): Shown => {
  const events = [...eventsBetween(ledger, position, currentHost(ledger).position)].map(({ event }) => event);
  const lines = events.filter(isFact).map(wordsOf);
  const text = lines.length === 0 ? 'nothing differs there\n' : `${lines.map(escapeText).join('\n')}\n`;
  return { text, fields: { changes: lines } };
};

/** What would be recorded, without what speaks of disks that the plan has yet to make. */
const planned = ({ plan }: Verdict): string =>
  plan.facts
    .filter((fact) => !JSON.stringify(fact).includes('"madeBy"'))
    .map((fact) => `${escapeText(wordsOf(bind<Fact>(fact, new Map())))}\n`)
    .join('');

const submitAbout = async (args: Arguments, name: CommandName, topic: string, input: unknown) =>
  runChange(openService(args, 'write'), args, async (service) => {
    const command = await built(name, input);
    if (!command.ok) return command;
    const { position } = currentHost(service.ledger);
    return ok({ topic, command: command.value, planned, show: (after) => shownSince(after, position) });
  });

const needsNames = (args: Arguments): Result<readonly string[], Failure> =>
  args.values.length === 0 ? err(usage('NAME is missing', 'drift')) : ok(args.values);

/** The differences that are named, as they are now. A name of a VM without any stands for none. */
const seenNow = async (args: Arguments): Promise<Result<readonly Drift[], Failure>> => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  try {
    const { host } = reading.value;
    const all = await driftFound(args, reading.value);
    if (!all.ok) return all;
    const chosen = new Set<Drift>();
    for (const name of args.values) {
      const meant = all.value.filter(isAbout(host, name));
      if (meant.length === 0)
        return err(failure('D_NOT_FOUND', `nothing called ${name} differs from the log`, { next: 'domtrail drift' }));
      for (const one of meant) chosen.add(one);
    }
    return ok([...chosen]);
  } finally {
    closeLedger(reading.value.ledger);
  }
};

const aboutDisks = (args: Arguments, name: 'AdoptDrift' | 'RepairDrift', seen: readonly Drift[]) => {
  const topic = name === 'AdoptDrift' ? 'drift-adopt' : 'drift-repair';
  return submitAbout(args, name, topic, { names: seen.map((one) => one.name) });
};

type Named = { readonly kind: 'disks' | 'document' | 'firewall'; readonly seen: readonly Drift[] };

/** What was named is of one kind, because each kind has a command of its own. */
const oneKind = (seen: readonly Drift[]): Result<Named['kind'], Failure> => {
  const kinds = new Set(seen.map(({ kind }) => (kind === 'document' || kind === 'firewall' ? kind : 'disks')));
  const [kind = 'disks'] = kinds;
  const next = seen.map(({ name }) => name).join(', ');
  if (kinds.size > 1 || (kind !== 'disks' && seen.length > 1))
    return err(failure('D_BAD_INPUT', 'these are answered one at a time, by their names', { next }));
  return ok(kind);
};

const adoptFirewall = async (args: Arguments, { about, name }: Drift): Promise<Result<number, Failure>> => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { host, home, ledger } = reading.value;
  closeLedger(ledger);
  const vm = host.vms.get((about ?? '') as VmName);
  const rules = vm ? await foreignRules(home.dir, vm) : null;
  if (!rules) {
    const next = `domtrail firewall reload ${about ?? 'VM'}`;
    return err(failure('D_DRIFT', `${name} has no rules that could be taken over`, { next }));
  }
  return submitAbout(args, 'AdoptFirewall', 'drift-adopt', { vm: about, rules });
};

/** The differences that were named, once they are known to be of one kind. */
const namedNow = async (args: Arguments): Promise<Result<Named, Failure>> => {
  const given = needsNames(args);
  const seen = given.ok ? await seenNow(args) : given;
  if (!seen.ok) return seen;
  const kind = oneKind(seen.value);
  return kind.ok ? ok({ kind: kind.value, seen: seen.value }) : kind;
};

const adopt: Action = {
  options: {},
  help: '',
  run: async (args) => {
    const named = await namedNow(args);
    if (!named.ok) return named;
    const { kind, seen } = named.value;
    const [first] = seen;
    if (kind === 'document') return adoptDocument(args);
    return kind === 'firewall' && first ? adoptFirewall(args, first) : aboutDisks(args, 'AdoptDrift', seen);
  },
};

const repair: Action = {
  options: {},
  help: '',
  run: async (args) => {
    const named = await namedNow(args);
    if (!named.ok) return named;
    const { kind, seen } = named.value;
    if (kind === 'document') return repairDocument(args);
    if (kind === 'disks') return aboutDisks(args, 'RepairDrift', seen);
    return err(failure('D_DRIFT', 'a firewall is put right by its own command', { next: seen[0]?.repair ?? '' }));
  },
};

const ignore: Action = {
  options: {},
  help: '',
  run: async (args) => {
    const given = needsNames(args);
    if (!given.ok) return given;
    const reason = args.text('message');
    if (reason === undefined) return err(usage('say why it stays as it is: -m REASON', 'drift'));
    const seen = await seenNow(args);
    if (!seen.ok) return seen;
    const differences = seen.value.map(({ name, about, problem, fingerprint }) => ({
      object: name,
      about,
      problem,
      fingerprint,
    }));
    return submitAbout(args, 'IgnoreDrift', 'drift-ignore', { differences, reason });
  },
};

const notice: Action = {
  options: {},
  help: '',
  run: async (args) => {
    const given = needsNames(args);
    return given.ok ? submitAbout(args, 'NoticeDrift', 'drift-notice', { objects: given.value }) : given;
  },
};

/** How a difference can be answered, by the word after `drift`. */
export const DRIFT_ANSWERS: Readonly<Record<string, Action>> = {
  adopt,
  repair,
  ignore,
  notice,
};
