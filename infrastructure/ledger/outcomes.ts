import { stepsOf } from '../../domain/decision.ts';
import type { Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import { type Ledger, statement } from './ledger.ts';

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

export const readOutcome = (ledger: Ledger, command: string): StoredOutcome | null => {
  const row = statement(
    ledger,
    'SELECT command, outcome, error, first_position, last_position, finished_at FROM outcomes WHERE command = ?',
  ).get(command);
  return row ? outcomeOfRow(row as OutcomeRow) : null;
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
export const nextOutcome = (before: StoredOutcome | undefined, recorded: Recorded): StoredOutcome | null => {
  const { command, position, time } = recorded;
  const turn = turnOf(recorded);
  if (!turn) return before ? { ...before, lastPosition: position } : null;
  const finishedAt = turn.outcome === 'accepted' ? null : time;
  return { command, ...turn, firstPosition: before?.firstPosition ?? position, lastPosition: position, finishedAt };
};

const UPSERT = `INSERT INTO outcomes (command, outcome, error, first_position, last_position, finished_at) VALUES (?, ?, ?, ?, ?, ?)
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
  const decided = first.event.type === 'CommandAccepted' || first.event.type === 'CommandRejected';
  let outcome = decided ? null : readOutcome(ledger, command);
  for (const one of recorded) outcome = nextOutcome(outcome ?? undefined, one);
  if (outcome) storeOutcome(ledger, outcome);
  return outcome;
};

export const clearOutcomes = (ledger: Ledger): void => {
  statement(ledger, 'DELETE FROM outcomes').run();
};
