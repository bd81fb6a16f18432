import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { actorText, commandItem, eventItem } from '../../infrastructure/cli/event-item.ts';
import { lineWidth, out, outJson, outJsonLine } from '../../infrastructure/cli/output.ts';
import { localTime, shortId, table } from '../../infrastructure/cli/text.ts';
import { asItStood } from '../../infrastructure/ledger/as-it-stood.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { commandsUpTo, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { openReading, type Reading } from '../compose.ts';
import { withBootNumber } from '../log-boot.ts';
import { type Entry, eventsAbout, type Span } from '../log-events.ts';
import { EVENT_COLUMNS, eventRow, FILTERS, type Filter, filterOf, patternOf } from '../log-filter.ts';
import { spanOf } from '../log-span.ts';
import { objectIn } from '../report-commands.ts';

const HELP = `domtrail log: what happened, and who did it

  domtrail log                      the newest 50 events
  domtrail log work:private         of a volume; also work, cmd:ID, a disk id, VG/LV
  domtrail log --commands [OBJECT]  one line a command, the refused ones too
  domtrail log --failed             only what went wrong
  domtrail log --since 2026-11-22T08:00Z --until ev:480
  domtrail log --since yesterday --until '2 hours ago'     or 08:00, -30min, today
  domtrail log --type SessionCommitted --actor user -n 10 -r
  domtrail log -b -g 'commit|revert'   since the host came up; a pattern in the words
  domtrail log -b -1                   the boot before that, as in journalctl

-n N newest only (0: all)   -r newest first   --json all of them   --jsonl a line each
`;

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

/** At most `limit` entries that match, oldest first; the rest of the log is not read. */
const take = (entries: Iterable<Entry>, matches: Filter, limit: number): readonly Entry[] => {
  const taken: Entry[] = [];
  if (limit > 0) {
    for (const entry of entries) {
      if (matches(entry) && taken.push(entry) === limit) break;
    }
  }
  return taken.reverse();
};

const showEvents = (
  args: Arguments,
  reading: Reading,
  span: Span,
  object: string | undefined,
): Result<number, Failure> => {
  const programs = args.flag('json') || args.flag('jsonl');
  const limit = limitOf(args, programs ? Number.POSITIVE_INFINITY : 50);
  if (!limit.ok) return limit;
  const filter = filterOf(args, 'log');
  if (!filter.ok) return filter;
  const entries = eventsAbout(reading, object, span);
  if (!entries.ok) return entries;
  const taken = take(entries.value, filter.value, limit.value);
  const shown = args.flag('reverse') ? [...taken].reverse() : taken;
  if (args.flag('jsonl')) for (const { recorded, actor } of shown) outJsonLine(eventItem(recorded, actor));
  else if (args.flag('json'))
    outJson('log', reading.asOf, { items: shown.map(({ recorded, actor }) => eventItem(recorded, actor)) });
  else out(table(EVENT_COLUMNS, shown.map(eventRow), lineWidth()));
  return ok(0);
};

const commandRow = (command: StoredCommand): readonly string[] => [
  shortId(command.id),
  localTime(command.receivedAt),
  actorText(command.actor),
  command.outcome.outcome,
  [command.name, objectIn(command.payload), command.reason === null ? '' : `(${command.reason})`]
    .filter((part) => part !== '')
    .join(' '),
];

/** Commands that had to do with an object: whose events are about it, or that asked for it and were refused. */
const concerning = (reading: Reading, object: string | undefined, span: Span): Result<Wanted, Failure> => {
  if (object === undefined) return ok(() => true);
  const entries = eventsAbout(reading, object, span);
  if (!entries.ok) return entries;
  const commands = new Set(Array.from(entries.value, ({ recorded }) => recorded.command));
  return ok(({ id, payload }) => {
    const asked = objectIn(payload);
    return commands.has(id) || asked === object || asked.startsWith(`${object}:`);
  });
};

type Wanted = (command: StoredCommand) => boolean;

const commandFilter = (args: Arguments, pattern: RegExp | null): Wanted => {
  const failed = args.flag('failed');
  const actor = args.text('actor');
  const type = args.text('type');
  return (command) =>
    (!failed || command.outcome.failure !== null) &&
    (type === undefined || command.name === type) &&
    (actor === undefined || actorText(command.actor) === actor) &&
    (pattern === null || pattern.test(commandRow(command).join(' ')));
};

const showCommands = (
  args: Arguments,
  reading: Reading,
  span: Span,
  object: string | undefined,
): Result<number, Failure> => {
  const { ledger, asOf } = reading;
  const limit = limitOf(args, args.flag('json') ? Number.POSITIVE_INFINITY : 50);
  if (!limit.ok) return limit;
  const pattern = patternOf(args.text('grep'), 'log');
  if (!pattern.ok) return pattern;
  const about = concerning(reading, object, span);
  if (!about.ok) return about;
  const matches = commandFilter(args, pattern.value);
  const all = commandsUpTo(ledger, span.upTo)
    .flatMap((command) => asItStood(ledger, command, asOf.position) ?? [])
    .filter((command) => command.outcome.firstPosition > span.after && matches(command) && about.value(command));
  const shown = newest(all, limit.value, args.flag('reverse'));
  if (args.flag('jsonl')) for (const one of shown) outJsonLine(commandItem(one));
  else if (args.flag('json')) outJson('log', asOf, { items: shown.map(commandItem) });
  else out(table(['COMMAND', 'WHEN', 'ACTOR', 'OUTCOME', 'WHAT'], shown.map(commandRow), lineWidth()));
  return ok(0);
};

const log: Action = {
  options: {
    ...FILTERS,
    commands: 'flag',
    since: 'value',
    until: 'value',
    number: 'value',
    reverse: 'flag',
    boot: 'value',
    jsonl: 'flag',
  },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'log', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const span = spanOf(args, reading.value);
      if (!span.ok) return span;
      return args.flag('commands')
        ? showCommands(args, reading.value, span.value, words.value[0])
        : showEvents(args, reading.value, span.value, words.value[0]);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(log, 'log', withBootNumber(argv));
