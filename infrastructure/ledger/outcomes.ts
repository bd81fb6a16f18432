import { stepsOf } from '../../domain/decision.ts';
import type { Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import { type Ledger, readHead, statement } from './ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';
import { eventsCutOff } from './sqlite-failure.ts';

type Outcome = 'accepted' | 'rejected' | 'completed' | 'failed' | 'abandoned';

export type StoredOutcome = {
  readonly command: string;
  readonly outcome: Outcome;
  readonly failure: Failure | null;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly finishedAt: number | null;
};

export type OutcomeRow = {
  command: string;
  outcome: Outcome;
  error: string | null;
  first_position: number;
  last_position: number;
  finished_at: number | null;
};

export const outcomeOfRow = (row: OutcomeRow): StoredOutcome => ({
  command: row.command,
  outcome: row.outcome,
  failure: row.error === null ? null : (JSON.parse(row.error) as Failure),
  firstPosition: row.first_position,
  lastPosition: row.last_position,
  finishedAt: row.finished_at,
});

const DECISION = `SELECT ${EVENT_COLUMNS} FROM events WHERE position = ?`;

/** Where the events end that were recorded with a decision: they stand together. */
const END_OF_DECISION = 'SELECT position FROM events WHERE position > ? AND command <> ? ORDER BY position LIMIT 1';

/** The outcome of a command that was done as soon as it was decided: its first event and those recorded with it tell. */
export const decidedAtOnce = (ledger: Ledger, command: string, firstPosition: number): StoredOutcome => {
  const row = statement(ledger, DECISION).raw().get(firstPosition) as EventRow | undefined;
  const outcome = row ? nextOutcome(undefined, decode(row)) : null;
  if (!outcome) throw eventsCutOff(firstPosition - 1, firstPosition);
  const next = statement(ledger, END_OF_DECISION).pluck().get(firstPosition, command) as number | undefined;
  return { ...outcome, lastPosition: next === undefined ? readHead(ledger).position : next - 1 };
};

const COLUMNS = 'command, outcome, error, first_position, last_position, finished_at';

export const readOutcome = (ledger: Ledger, command: string): StoredOutcome | null => {
  const row = statement(ledger, `SELECT ${COLUMNS} FROM outcomes WHERE command = ?`).get(command);
  if (row) return outcomeOfRow(row as OutcomeRow);
  const position = statement(ledger, 'SELECT position FROM commands WHERE id = ?').pluck().get(command);
  return position === undefined ? null : decidedAtOnce(ledger, command, position as number);
};

type Turn = { readonly outcome: Outcome; readonly failure: Failure | null };

/** What an event says about how its command stands; null when it says nothing new. */
const turnOf = ({ event }: Recorded): Turn | null => {
  switch (event.type) {
    case 'CommandAccepted':
      return { outcome: stepsOf(event.plan).length === 0 ? 'completed' : 'accepted', failure: null };
    case 'CommandRejected':
      return { outcome: 'rejected', failure: event.failure };
    case 'CommandResumed':
      return { outcome: 'accepted', failure: null };
    case 'CommandCompleted':
      return { outcome: 'completed', failure: null };
    case 'CommandFailed':
      return { outcome: 'failed', failure: event.failure };
    case 'CommandAbandoned':
      return { outcome: 'abandoned', failure: event.failure };
    default:
      return null;
  }
};

/** How a command stands after one more event; null for events of no command that was ever decided. */
const nextOutcome = (before: StoredOutcome | undefined, recorded: Recorded): StoredOutcome | null => {
  const { command, position, time } = recorded;
  const turn = turnOf(recorded);
  if (!turn) return before ? { ...before, lastPosition: position } : null;
  const finishedAt = turn.outcome === 'accepted' ? null : time;
  return { command, ...turn, firstPosition: before?.firstPosition ?? position, lastPosition: position, finishedAt };
};

/** How a command stands after some of its events, oldest first. */
export const decidedBy = (events: readonly Recorded[]): Turn =>
  events.map(turnOf).findLast((turn) => turn !== null) ?? { outcome: 'accepted', failure: null };

const isDecision = ({ event }: Recorded): boolean =>
  event.type === 'CommandAccepted' || event.type === 'CommandRejected';

/** Follows the commands with steps through the log; the others need no row, because their first event says it all. */
export const followOutcome = (outcomes: Map<string, StoredOutcome>, recorded: Recorded): void => {
  const before = outcomes.get(recorded.command);
  const outcome = nextOutcome(before, recorded);
  if (outcome && (before || outcome.finishedAt === null)) outcomes.set(recorded.command, outcome);
};

const UPSERT = `INSERT INTO outcomes (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (command) DO UPDATE SET outcome = excluded.outcome, error = excluded.error, last_position = excluded.last_position, finished_at = excluded.finished_at`;

export const storeOutcome = (ledger: Ledger, outcome: StoredOutcome): void => {
  const { command, failure, firstPosition, lastPosition, finishedAt } = outcome;
  const error = failure ? JSON.stringify(failure) : null;
  statement(ledger, UPSERT).run(command, outcome.outcome, error, firstPosition, lastPosition, finishedAt);
};

/** Keeps the table of outcomes in step with new events of one command, and gives the command's outcome. */
export const saveOutcome = (ledger: Ledger, command: string, recorded: readonly Recorded[]): StoredOutcome | null => {
  const [first] = recorded;
  if (!first) return readOutcome(ledger, command);
  const before = isDecision(first) ? null : readOutcome(ledger, command);
  let outcome = before;
  for (const one of recorded) outcome = nextOutcome(outcome ?? undefined, one);
  if (outcome && (before || outcome.finishedAt === null)) storeOutcome(ledger, outcome);
  return outcome;
};

export const clearOutcomes = (ledger: Ledger): void => {
  statement(ledger, 'DELETE FROM outcomes').run();
};
