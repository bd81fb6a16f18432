import { counted } from '../../domain/counted.ts';
import { exitOf, type Failure } from '../../domain/failure.ts';
import type { Breach, Invariant } from '../../domain/invariants/invariant.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { breachItem, breachText } from '../../infrastructure/cli/breach.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { escapeText, shortId } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { findCommand } from '../../infrastructure/ledger/queries.ts';
import { replayLog, type Stretch } from '../../infrastructure/service/replay.ts';
import { replayOnModel } from '../../infrastructure/service/replay-model.ts';
import type { Begun } from '../../infrastructure/service/replay-start.ts';
import { openReading, type Reading } from '../compose.ts';
import { invariantsNamed } from '../named-invariants.ts';
import { compareState, tellState } from '../replay-state.ts';
import { stretchOf } from '../stretch.ts';

const HELP = `domtrail replay: go through the log again

  domtrail replay                    decide every recorded command with today's code,
                                     and hold each event against the invariants
  domtrail replay ev:400..ev:900     the events after 400 up to 900; where a command
                                     was under way at 400, it begins before that one
  domtrail replay --check NAME       one invariant only (may be repeated)
  domtrail replay ev:900 --state     the state at that point (--json: all of it)
  domtrail replay --compare          is the stored state what the events give?
  domtrail replay --model            carry the recorded steps out on models of the
                                     pools, and look at what lies there after each
  domtrail replay --db copy.db       somebody else's log

Exit 6 when an event would differ (both versions are printed), when an invariant is
broken, or when the stored state is another. The invariants: domtrail explain invariants.
`;

/** More than a screen of breaches helps nobody; --json has more. */
const SHOWN = 10;

const breachesText = ({ ledger }: Reading, breaches: readonly Breach[]): string => {
  const shown = breaches.slice(0, SHOWN).map((one) => {
    const command = findCommand(ledger, one.recorded.command);
    return breachText(one, command.ok ? command.value : null);
  });
  const more = breaches.length > SHOWN ? `and ${breaches.length - SHOWN} more: --json\n` : '';
  return `${shown.join('')}${more}`;
};

const breachItems = ({ ledger }: Reading, breaches: readonly Breach[]) =>
  breaches.map((one) => {
    const command = findCommand(ledger, one.recorded.command);
    return breachItem(one, command.ok ? command.value : null);
  });

const beginItem = ({ after, under, leftOut }: Begun) => ({
  begins: after,
  underway: under,
  leftOut: leftOut.map(({ command, name, holds }) => ({ command, name, objects: holds.map(({ object }) => object) })),
});

/** Why it began before the range, or leaves something out; nothing where it did neither. */
const beginText = ({ after, under, leftOut }: Begun): string => {
  const names = (all: Begun['under']): string =>
    all.map(({ name, command }) => `${name} cmd:${shortId(command)}`).join(', ');
  if (leftOut.length > 0) {
    const held = leftOut.flatMap(({ holds }) => holds.map(({ object }) => object)).join(', ');
    return `this log begins inside ${escapeText(names(leftOut))}: nothing is said about ${escapeText(held)}\n`;
  }
  return under.length === 0
    ? ''
    : `goes on from ev:${after}: ${escapeText(names(under))} was under way at the start of the range\n`;
};

const decideAndCheck = (
  args: Arguments,
  reading: Reading,
  stretch: Stretch,
  invariants: readonly Invariant[],
): number => {
  const { start, difference, breaches, commands, events } = replayLog(reading.ledger, stretch, invariants);
  if (args.flag('json')) {
    const begins = beginItem(start);
    const item = { ...stretch, ...begins, commands, events, difference, breaches: breachItems(reading, breaches) };
    outJson('replay', reading.asOf, { item });
  } else {
    talk(beginText(start));
    out(breachesText(reading, breaches));
    if (difference) {
      const { position, name, command } = difference;
      out(`ev:${position} is the first that would differ (${name}, cmd:${command})\n`);
      out(`recorded: ${escapeText(JSON.stringify(difference.recorded))}\n`);
      out(`decided:  ${escapeText(JSON.stringify(difference.decided))}\n`);
    } else out(`${counted(commands, 'command')} decided again: the recorded events, all of them\n`);
    const held = breaches.length === 0 ? 'every invariant holds after each' : 'invariants are broken: see above';
    out(`${counted(events, 'event')}, ${counted(invariants.length, 'invariant')}: ${held}\n`);
  }
  return difference || breaches.length > 0 ? exitOf('D_VERIFY') : 0;
};

const carryOut = async (
  args: Arguments,
  reading: Reading,
  stretch: Stretch,
  invariants: readonly Invariant[],
): Promise<number> => {
  const { start, steps, events, breaches } = await replayOnModel(reading.ledger, stretch, invariants);
  if (args.flag('json')) {
    const begins = beginItem(start);
    const item = { ...stretch, ...begins, steps, events, breaches: breachItems(reading, breaches) };
    outJson('replay', reading.asOf, { item });
  } else {
    talk(beginText(start));
    out(breachesText(reading, breaches));
    const held = breaches.length === 0 ? 'every invariant holds after each' : 'invariants are broken: see above';
    out(`${counted(steps, 'step')} of ${counted(events, 'event')} carried out on the model: ${held}\n`);
  }
  return breaches.length > 0 ? exitOf('D_VERIFY') : 0;
};

const replayed = async (args: Arguments, reading: Reading): Promise<Result<number, Failure>> => {
  const words = expectWords(args.values, ['RANGE'], 'replay', 1);
  if (!words.ok) return words;
  const stretch = stretchOf(words.value[0], reading);
  if (!stretch.ok) return stretch;
  if (args.flag('state')) return ok(tellState(args, reading, stretch.value.to));
  if (args.flag('compare')) return ok(compareState(args, reading));
  const invariants = invariantsNamed(args.list('check'));
  if (!invariants.ok) return invariants;
  return args.flag('model')
    ? ok(await carryOut(args, reading, stretch.value, invariants.value))
    : ok(decideAndCheck(args, reading, stretch.value, invariants.value));
};

const replay: Action = {
  options: { state: 'flag', compare: 'flag', model: 'flag', check: 'list' },
  help: HELP,
  run: async (args) => {
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      return await replayed(args, reading.value);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(replay, 'replay', argv);
