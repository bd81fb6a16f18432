import type { Recorded } from '../../domain/event.ts';
import type { Actor } from './accept.ts';
import { type Ledger, statement } from './ledger.ts';
import { readOutcome } from './outcomes.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';

/** An event with what its row and its command's row add: the version it was written in, and who caused it. */
export type Logged = {
  readonly recorded: Recorded;
  readonly schemaVersion: number;
  readonly hash: string;
  readonly actor: Actor | null;
};

/** Which events: all, or those of one stream, VM (with its volumes), command or type. */
export type Which =
  | { readonly by: 'all' }
  | { readonly by: 'stream' | 'vm' | 'command' | 'type'; readonly value: string };

/** Positions after `after` up to `upTo`, at most `limit` of them: the first ones, or with `newestFirst` the last ones. */
export type Range = {
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
  readonly newestFirst: boolean;
};

const WHERE: Readonly<Record<Which['by'], string>> = {
  all: '1',
  stream: 'stream = @value',
  // A volume's stream is volume/VM:VOLUME, and ";" is the character after ":".
  vm: "(stream = 'vm/' || @value OR (stream > 'volume/' || @value || ':' AND stream < 'volume/' || @value || ';'))",
  command: 'command = @value AND position BETWEEN @first AND @last',
  type: 'type = @value',
};

const sqlFor = (by: Which['by'], newestFirst: boolean): string =>
  `SELECT ${EVENT_COLUMNS}, lower(hex(hash)), (SELECT actor FROM commands WHERE id = command) FROM events
   WHERE position > @after AND position <= @upTo AND ${WHERE[by]} ORDER BY position ${newestFirst ? 'DESC' : 'ASC'} LIMIT @limit`;

type Row = readonly [...EventRow, hash: string, actor: string | null];

/** What the condition's SQL wants to know. A command's events are looked for only where they can be. */
const valuesOf = (ledger: Ledger, which: Which): Readonly<Record<string, string | number>> => {
  if (which.by === 'all') return {};
  if (which.by !== 'command') return { value: which.value };
  const outcome = readOutcome(ledger, which.value);
  return { value: which.value, first: outcome?.firstPosition ?? 1, last: outcome?.lastPosition ?? 0 };
};

/** One page of the log. For the next one go on after the last position of this one (before it, with `newestFirst`). */
export const pageOfEvents = (
  ledger: Ledger,
  which: Which,
  { after, upTo, limit, newestFirst }: Range,
): readonly Logged[] => {
  const rows = statement(ledger, sqlFor(which.by, newestFirst))
    .raw()
    .all({ after, upTo, limit, ...valuesOf(ledger, which) }) as unknown as Row[];
  return rows.map((row) => ({
    recorded: decode(row as unknown as EventRow),
    schemaVersion: row[4],
    hash: row[8],
    actor: row[9] === null ? null : (JSON.parse(row[9]) as Actor),
  }));
};
