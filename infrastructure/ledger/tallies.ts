import type { Recorded } from '../../domain/event.ts';
import type { SeenUsage } from '../../domain/pool/usage.ts';
import { type Ledger, statement } from './ledger.ts';
import type { StoredOutcome } from './outcomes.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';

/** Positions after `after` up to and including `upTo`. */
type Span = { readonly after: number; readonly upTo: number };

/** A command that was decided in a span, as it stood at its end. `tookMs` from its receipt to its end; null while it is open. */
export type Tally = {
  readonly name: string;
  readonly outcome: StoredOutcome['outcome'];
  readonly code: string | null;
  readonly tookMs: number | null;
};

/** A command without a row of outcomes was over with its decision, and its first event says how. */
const COMMANDS = `SELECT name, coalesce(outcomes.outcome, iif(events.type = 'CommandRejected', 'rejected', 'completed')),
    coalesce(outcomes.error, iif(events.type = 'CommandRejected', events.data -> '$.failure', NULL)) ->> '$.code',
    coalesce(finished_at, iif(outcomes.command IS NULL, events.time, NULL)) - received_at, coalesce(last_position, 0)
  FROM commands JOIN events ON events.position = commands.position LEFT JOIN outcomes ON outcomes.command = commands.id
  WHERE commands.position > ? AND commands.position <= ? ORDER BY seq`;

type CommandRow = readonly [
  name: string,
  outcome: StoredOutcome['outcome'],
  code: string | null,
  tookMs: number | null,
  last: number,
];

/** The commands decided in a span, one at a time. What ended only later is told as accepted. */
export function* commandTallies(ledger: Ledger, { after, upTo }: Span): Generator<Tally> {
  const rows = statement(ledger, COMMANDS).raw().iterate(after, upTo) as IterableIterator<CommandRow>;
  for (const [name, outcome, code, tookMs, last] of rows) {
    if (last > upTo) yield { name, outcome: 'accepted', code: null, tookMs: null };
    else yield { name, outcome, code, tookMs };
  }
}

const STEPS = `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? AND type IN ('StepDone', 'StepFailed') ORDER BY position`;

/** The steps recorded in a span, one at a time. */
export function* stepsIn(ledger: Ledger, { after, upTo }: Span): Generator<Recorded> {
  for (const row of statement(ledger, STEPS).raw().iterate(after, upTo)) yield decode(row as EventRow);
}

/** What a command saw of the pools it writes to, before it was decided; `time` in epoch milliseconds. */
export type SeenThen = { readonly time: number; readonly position: number; readonly pools: SeenUsage['pools'] };

type UsageRow = readonly [time: number, position: number, pools: string | null];

const usageWhere = (which: string): string =>
  `SELECT received_at, position, context -> '$.usage.pools' FROM commands WHERE ${which} AND instr(context, '"usage"') > 0 ORDER BY seq`;

function* looks(rows: Iterable<UsageRow>): Generator<SeenThen> {
  for (const [time, position, pools] of rows) {
    if (pools !== null) yield { time, position, pools: JSON.parse(pools) as SeenUsage['pools'] };
  }
}

const IN_SPAN = usageWhere('position > ? AND position <= ?');

/** The looks at pools of the commands in a span, one at a time. */
export const usageIn = (ledger: Ledger, { after, upTo }: Span): Iterable<SeenThen> =>
  looks(statement(ledger, IN_SPAN).raw().iterate(after, upTo) as Iterable<UsageRow>);

const NEWEST = usageWhere('seq > (SELECT max(seq) FROM commands) - ?');

/** The looks at pools of the newest so many commands, oldest first; by number, so a long log costs no more. */
export const newestUsage = (ledger: Ledger, commands: number): readonly SeenThen[] => [
  ...looks(statement(ledger, NEWEST).raw().all(commands) as readonly UsageRow[]),
];

/** Bytes of the ledger's file, without what waits in its write-ahead log. */
export const ledgerBytes = ({ db }: Ledger): number =>
  Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }));
