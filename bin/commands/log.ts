import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { wordsOf } from '../../domain/words.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { concerns } from '../../infrastructure/cli/concerns.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { actorText, commandItem, eventItem } from '../../infrastructure/cli/event-item.ts';
import { lineWidth, out, outJson, outJsonLine } from '../../infrastructure/cli/output.ts';
import { localTime, shortId, table } from '../../infrastructure/cli/text.ts';
import { eventsBetween } from '../../infrastructure/ledger/fold.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { commandsUpTo, positionAt, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { openReading, type Reading } from '../compose.ts';

const HELP = `domtrail log: what happened, and who did it

  domtrail log                      the newest 50 events
  domtrail log work:private         of a volume; also work, cmd:ID, a disk id, VG/LV
  domtrail log --commands           one line a command, the refused ones too
  domtrail log --failed             only what went wrong
  domtrail log --since 2026-11-22T08:00Z --until ev:480
  domtrail log --type SessionCommitted --actor user -n 10 -r

-n N newest only (0: all)   -r newest first   --json all of them   --jsonl a line each
`;

type Filter = (recorded: Recorded, actor: string) => boolean;

const FAILURES = new Set(['CommandRejected', 'CommandFailed', 'CommandAbandoned', 'StepFailed']);

const filterOf = (args: Arguments, object: string | undefined): Filter => {
  const type = args.text('type');
  const wanted = args.text('actor');
  const about = object === undefined ? null : concerns(object);
  return (recorded, actor) =>
    (type === undefined || recorded.event.type === type) &&
    (wanted === undefined || actor === wanted) &&
    (!args.flag('failed') || FAILURES.has(recorded.event.type)) &&
    (about === null || about(recorded));
};

type Range = { readonly from: number; readonly to: number };

const rangeOf = (args: Arguments, { ledger, asOf }: Reading): Result<Range, Failure> => {
  const since = args.text('since');
  const until = args.text('until');
  const from = since === undefined ? ok(0) : positionAt(ledger, since);
  if (!from.ok) return from;
  const to = until === undefined ? ok(asOf.position) : positionAt(ledger, until);
  if (!to.ok) return to;
  // An event given by number belongs to the range; a time stands for the last event before it.
  const first = since !== undefined && /^(ev:)?[0-9]+$/.test(since) ? from.value - 1 : from.value;
  return ok({ from: Math.max(0, first), to: Math.min(to.value, asOf.position) });
};

const limitOf = (args: Arguments, standard: number): Result<number, Failure> => {
  const text = args.text('number');
  if (text === undefined) return ok(standard);
  if (!/^[0-9]{1,9}$/.test(text)) return err(usage('-n takes a whole number', 'log'));
  return ok(Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text));
};

const newest = <T>(items: readonly T[], limit: number, reverse: boolean): readonly T[] => {
  const some = limit === Number.POSITIVE_INFINITY ? items : items.slice(Math.max(0, items.length - limit));
  return reverse ? [...some].reverse() : some;
};

const FILTERS = ['type', 'actor'] as const;

/** Nothing to search for: the newest events are the last ones, and a log may have millions. */
const firstOf = (args: Arguments, object: string | undefined, { from, to }: Range, limit: number): number => {
  const searches = object !== undefined || args.flag('failed') || FILTERS.some((name) => args.text(name) !== undefined);
  return searches ? from : Math.max(from, to - limit);
};

const showEvents = (
  args: Arguments,
  reading: Reading,
  range: Range,
  object: string | undefined,
): Result<number, Failure> => {
  const programs = args.flag('json') || args.flag('jsonl');
  const limit = limitOf(args, programs ? Number.POSITIVE_INFINITY : 50);
  if (!limit.ok) return limit;
  const commands = new Map(commandsUpTo(reading.ledger, reading.asOf.position).map((one) => [one.id, one]));
  const actorOf = (recorded: Recorded) => commands.get(recorded.command)?.actor ?? null;
  const matches = filterOf(args, object);
  const events: Recorded[] = [];
  for (const recorded of eventsBetween(reading.ledger, firstOf(args, object, range, limit.value), range.to)) {
    if (matches(recorded, actorText(actorOf(recorded)))) events.push(recorded);
  }
  const shown = newest(events, limit.value, args.flag('reverse'));
  if (args.flag('jsonl')) for (const one of shown) outJsonLine(eventItem(one, actorOf(one)));
  else if (args.flag('json')) outJson('log', reading.asOf, { items: shown.map((one) => eventItem(one, actorOf(one))) });
  else {
    const rows = shown.map((one) => [
      `${one.position}`,
      localTime(one.time),
      actorText(actorOf(one)),
      shortId(one.command),
      wordsOf(one.event),
    ]);
    out(table(['EVENT', 'WHEN', 'ACTOR', 'COMMAND', 'CHANGE'], rows, lineWidth()));
  }
  return ok(0);
};

const commandRow = (command: StoredCommand): readonly string[] => [
  shortId(command.id),
  localTime(command.receivedAt),
  actorText(command.actor),
  command.outcome.outcome,
  [command.name, describe(command.payload), command.reason === null ? '' : `(${command.reason})`]
    .filter((part) => part !== '')
    .join(' '),
];

/** The object in a payload, for a line. */
const describe = (payload: unknown): string => {
  const fields = payload as Readonly<Record<string, unknown>>;
  const vm = fields['vm'] ?? fields['name'];
  if (typeof vm !== 'string') return '';
  return typeof fields['volume'] === 'string' ? `${vm}:${fields['volume']}` : vm;
};

const showCommands = (args: Arguments, { ledger, asOf }: Reading, range: Range): Result<number, Failure> => {
  const limit = limitOf(args, args.flag('json') ? Number.POSITIVE_INFINITY : 50);
  if (!limit.ok) return limit;
  const failed = args.flag('failed');
  const wanted = args.text('actor');
  const all = commandsUpTo(ledger, range.to).filter(
    ({ outcome, actor }) =>
      outcome.firstPosition > range.from &&
      (!failed || outcome.failure !== null) &&
      (wanted === undefined || actorText(actor) === wanted),
  );
  const shown = newest(all, limit.value, args.flag('reverse'));
  if (args.flag('jsonl')) for (const one of shown) outJsonLine(commandItem(one));
  else if (args.flag('json')) outJson('log', asOf, { items: shown.map(commandItem) });
  else out(table(['COMMAND', 'WHEN', 'ACTOR', 'OUTCOME', 'WHAT'], shown.map(commandRow), lineWidth()));
  return ok(0);
};

const log: Action = {
  options: {
    commands: 'flag',
    failed: 'flag',
    since: 'value',
    until: 'value',
    type: 'value',
    actor: 'value',
    number: 'value',
    reverse: 'flag',
    jsonl: 'flag',
  },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'log', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const range = rangeOf(args, reading.value);
      if (!range.ok) return range;
      const [object] = words.value;
      if (object?.startsWith('-')) return err(failure('D_USAGE', `${object} is no object`));
      return args.flag('commands')
        ? showCommands(args, reading.value, range.value)
        : showEvents(args, reading.value, range.value, object);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(log, 'log', argv);
