import type { CommandName } from '../domain/command/registry.ts';
import type { Verdict } from '../domain/decision.ts';
import type { Fact } from '../domain/event.ts';
import { type Failure, failure } from '../domain/failure.ts';
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
import type { Service } from '../infrastructure/service/service.ts';
import { built } from './changing.ts';
import { openReading, openService } from './compose.ts';
import { nameInPool } from './disk-named.ts';
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

/** The differences as they are now, before the answer is written down. */
const seenNow = async (args: Arguments): Promise<Result<readonly Drift[], Failure>> => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  try {
    const { host } = reading.value;
    const all = await driftFound(reading.value);
    const chosen = new Set<Drift>();
    for (const name of args.values) {
      const meant = all.filter(isAbout(host, name));
      if (meant.length === 0)
        return err(failure('D_NOT_FOUND', `nothing called ${name} differs from the log`, { next: 'domtrail drift' }));
      for (const one of meant) chosen.add(one);
    }
    return ok([...chosen]);
  } finally {
    closeLedger(reading.value.ledger);
  }
};

const aboutDisks = (name: 'AdoptDrift' | 'RepairDrift', topic: string): Action => ({
  options: {},
  help: '',
  run: async (args) => {
    const given = needsNames(args);
    if (!given.ok) return given;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    closeLedger(reading.value.ledger);
    const names = given.value.map((one) => nameInPool(reading.value.host, one));
    return submitAbout(args, name, topic, { names });
  },
});

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
  adopt: aboutDisks('AdoptDrift', 'drift-adopt'),
  repair: aboutDisks('RepairDrift', 'drift-repair'),
  ignore,
  notice,
};
