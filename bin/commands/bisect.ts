import { type Failure, failure } from '../../domain/failure.ts';
import type { Breach, Invariant } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { wordsOf } from '../../domain/words.ts';
import { type Arguments, usage } from '../../infrastructure/cli/arguments.ts';
import { breachItem, breachText, causeText } from '../../infrastructure/cli/breach.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { beginningOf } from '../../infrastructure/ledger/beginning.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventAt, findCommand, positionAt, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { type Bisected, bisect, stepsLeft } from '../../infrastructure/service/bisect.ts';
import { firstBreach, type Stretch } from '../../infrastructure/service/replay.ts';
import { checkProgram } from '../bisect-program.ts';
import { openReading, type Reading } from '../compose.ts';
import { invariantsNamed } from '../named-invariants.ts';

const HELP = `domtrail bisect: the first event after which something is wrong

  domtrail bisect run                              any invariant
  domtrail bisect run -- no-orphan-snap            this one: explain invariants
  domtrail bisect run --good ev:400 -- ./check.sh
  domtrail bisect run -- sh -c 'domtrail vm list | grep -q banking'
  domtrail bisect run --db copy.db --bad ev:900 -- ...

A program is run at some positions, as in git: exit 0 is good, 125 cannot be told,
other codes up to 127 are bad, anything else ends the search. It gets the position
in DOMTRAIL_AT; every domtrail it calls looks back to there and changes nothing.
--good (the beginning) must pass, --bad (the newest event) must fail. An invariant is
held against every event, so a fault that was mended later is found as well.

Prints the event, its command and who asked for it. Exit 3 when there is none.
`;

const stretchOf = (args: Arguments, { ledger, asOf }: Reading): Result<Stretch, Failure> => {
  const good = positionAt(ledger, args.text('good') ?? `${beginningOf(ledger).position}`);
  if (!good.ok) return good;
  const bad = positionAt(ledger, args.text('bad') ?? `${asOf.position}`);
  if (!bad.ok) return bad;
  return good.value < bad.value
    ? ok({ after: good.value, to: bad.value })
    : err(usage(`--good ev:${good.value} must come before --bad ev:${bad.value}`, 'bisect'));
};

const commandOf = ({ ledger }: Reading, id: string): StoredCommand | null => {
  const command = findCommand(ledger, id);
  return command.ok ? command.value : null;
};

const tellBreach = (args: Arguments, reading: Reading, breach: Breach): number => {
  const command = commandOf(reading, breach.recorded.command);
  if (args.flag('json')) outJson('bisect', reading.asOf, { item: breachItem(breach, command) });
  else out(`ev:${breach.recorded.position} is the first bad event\n${breachText(breach, command)}`);
  return 0;
};

const byInvariants = (
  args: Arguments,
  reading: Reading,
  stretch: Stretch,
  invariants: readonly Invariant[],
): Result<number, Failure> => {
  const breach = firstBreach(reading.ledger, stretch, invariants);
  if (breach) return ok(tellBreach(args, reading, breach));
  const which = invariants.length === 1 ? (invariants[0]?.name ?? '') : `each of ${invariants.length} invariants`;
  return err(
    failure('D_NOT_FOUND', `${which} holds after every event from ev:${stretch.after + 1} to ev:${stretch.to}`),
  );
};

const ENDS: Readonly<Record<'good' | 'bad' | 'aborted', (position: number) => Failure>> = {
  good: (position) =>
    failure('D_NOT_FOUND', `the check does not fail at ev:${position}, so there is no bad event`, {
      next: 'domtrail bisect run --bad EV -- ...   with a position where it fails',
    }),
  bad: (position) =>
    failure('D_USAGE', `the check fails at ev:${position} already`, {
      next: 'domtrail bisect run --good EV -- ...   with a position where it passes',
    }),
  aborted: (position) => failure('D_CHECK_FAILED', `the check at ev:${position} gave no answer: the search ends`),
};

const tellFound = (args: Arguments, reading: Reading, position: number, checks: number): number => {
  const recorded = eventAt(reading.ledger, position);
  if (!recorded) throw new Error(`there is no event ${position}`);
  const command = commandOf(reading, recorded.command);
  if (args.flag('json')) {
    const item = {
      ...eventItem(recorded, command?.actor ?? null),
      name: command?.name ?? null,
      reason: command?.reason ?? null,
      checks,
    };
    outJson('bisect', reading.asOf, { item });
    return 0;
  }
  const lines = [
    `ev:${position} is the first bad event`,
    `ev:${position}  ${localTime(recorded.time)}  ${escapeText(wordsOf(recorded.event))}`,
    ...(command ? [`  command  ${escapeText(causeText(command))}`] : []),
  ];
  out(`${lines.join('\n')}\n`);
  return 0;
};

const tellBisected = (args: Arguments, reading: Reading, found: Bisected): Result<number, Failure> => {
  switch (found.is) {
    case 'found':
      return ok(tellFound(args, reading, found.position, found.checks));
    case 'among': {
      const message = `the first bad event is one of ev:${found.first} to ev:${found.last}: those before ev:${found.last} were skipped`;
      return err(failure('D_NOT_FOUND', message));
    }
    default:
      return err(ENDS[found.is](found.position));
  }
};

const byProgram = async (
  args: Arguments,
  reading: Reading,
  { after, to }: Stretch,
  argv: readonly [string, ...string[]],
): Promise<Result<number, Failure>> => {
  talk(`${to - after} events, about ${stepsLeft(after, to) + 2} checks\n`);
  const program = checkProgram(reading, argv);
  try {
    return tellBisected(args, reading, await bisect({ good: after, bad: to }, program.check));
  } finally {
    program.end();
  }
};

const isInvariant = (word: string): boolean => INVARIANTS.some(({ name }) => name === word);

const search = async (args: Arguments, reading: Reading): Promise<Result<number, Failure>> => {
  const stretch = stretchOf(args, reading);
  if (!stretch.ok) return stretch;
  const words = args.values[0] === 'invariant' ? args.values.slice(1) : args.values;
  const [program, ...rest] = words;
  if (program === undefined || words.every(isInvariant) || args.values[0] === 'invariant') {
    const invariants = invariantsNamed(words);
    return invariants.ok ? byInvariants(args, reading, stretch.value, invariants.value) : invariants;
  }
  return byProgram(args, reading, stretch.value, [program, ...rest]);
};

const run: Action = {
  options: { good: 'value', bad: 'value' },
  help: HELP,
  run: async (args) => {
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      return await search(args, reading.value);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('bisect', { run }, HELP, argv);
