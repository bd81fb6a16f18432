import { stepsOf } from '../../domain/decision.ts';
import type { Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import { type Ledger, statement } from './ledger.ts';

export type Outcome = 'accepted' | 'rejected' | 'completed' | 'failed' | 'abandoned';

export type StoredOutcome = {
  readonly command: string;
  readonly outcome: Outcome;
  readonly failure: Failure | null;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly finishedAt: number | null;
};

type Row = { command: string; outcome: Outcome; error: string | null; first_position: number; last_position: number; finished_at: number | null };

export const outcomeOfRow = (row: Row): StoredOutcome => ({
  command: row.command,
  outcome: row.outcome,
  failure: row.error === null ? null : (JSON.parse(row.error) as Failure),
  firstPosition: row.first_position,
  lastPosition: row.last_position,
  finishedAt: row.finished_at,
});

export const readOutcome = (ledger: Ledger, command: string): StoredOutcome | null => {
  const row = statement(ledger, 'SELECT command, outcome, error, first_position, last_position, finished_at FROM outcomes WHERE command = ?').get(command);
  return row ? outcomeOfRow(row as Row) : null;
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

const UPSERT = `INSERT INTO outcomes (command, outcome, error, first_position, last_position, finished_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (command) DO UPDATE SET outcome = excluded.outcome, error = excluded.error, last_position = excluded.last_position, finished_at = excluded.finished_at`;

/** Keeps the table of outcomes in step with the events of one command. */
export const saveOutcome = (ledger: Ledger, recorded: readonly Recorded[]): void => {
  const [first] = recorded;
  const last = recorded.at(-1);
  if (!first || !last) return;
  const turn = recorded.map(turnOf).findLast((one) => one !== null);
  if (!turn) {
    statement(ledger, 'UPDATE outcomes SET last_position = ? WHERE command = ?').run(last.position, last.command);
    return;
  }
  const finished = turn.outcome === 'accepted' ? null : last.time;
  const error = turn.failure ? JSON.stringify(turn.failure) : null;
  statement(ledger, UPSERT).run(last.command, turn.outcome, error, first.position, last.position, finished);
};

export const clearOutcomes = (ledger: Ledger): void => {
  statement(ledger, 'DELETE FROM outcomes').run();
};
