import { entityKeysOf, entityOf } from '../../domain/host/host.ts';
import { type Ledger, statement } from './ledger.ts';
import { type OutcomeRow, outcomeOfRow } from './outcomes.ts';
import type { Projection } from './projection.port.ts';
import { digestOf } from './projections.ts';
import { readCheckpoint } from './state.ts';
import type { Walk } from './verify-walk.ts';

/** The stored state must be what a fold of the log up to its checkpoint gives. */
export const checkEntities = (ledger: Ledger, { then, stored, fold, position }: Walk): string | null => {
  if (fold) return 'not compared: the log cannot be folded';
  const checkpoint = readCheckpoint(ledger, 'state');
  if (!then) return `the state stands at ${stored}, the log at ${position}`;
  const rows = statement(ledger, 'SELECT key, state FROM entities').raw().all() as [string, string][];
  const wrong = rows.find(([key, state]) => JSON.stringify(entityOf(then, key)) !== state);
  if (wrong) return `the stored state of ${wrong[0]} differs from a fold of the log`;
  const count = entityKeysOf(then).length;
  if (rows.length !== count) return `the state holds ${rows.length} values, a fold of the log ${count}`;
  return checkpoint || position === 0 ? null : 'the state was never stored';
};

/** The stored outcomes must be what the log says about each command. */
export const checkOutcomes = (ledger: Ledger, { outcomes, fold }: Walk): string | null => {
  if (fold) return 'not compared: the log cannot be folded';
  const rows = statement(
    ledger,
    'SELECT command, outcome, error, first_position, last_position, finished_at FROM outcomes',
  ).all() as OutcomeRow[];
  const wrong = rows.find((row) => JSON.stringify(outcomeOfRow(row)) !== JSON.stringify(outcomes.get(row.command)));
  if (wrong) return `the outcome of command ${wrong.command} differs from the log`;
  return rows.length === outcomes.size ? null : `${rows.length} outcomes are stored, the log has ${outcomes.size}`;
};

/** A projection must hold what a replay of the log would put into it. */
export const checkProjection = (ledger: Ledger, walk: Walk, projection: Projection): string | null => {
  if (walk.fold || walk.chain) return 'not compared: the log itself is damaged';
  const known = readCheckpoint(ledger, projection.name);
  if (!known) return walk.events === 0 ? null : 'it was never built';
  if (known.version !== projection.version)
    return `it was built by version ${known.version}, this is ${projection.version}: domtrail recover`;
  const replay = walk.replays.find((one) => one.projection === projection);
  if (!replay) throw new Error(`nobody replayed ${projection.name}`);
  const same = digestOf(ledger.db, projection) === digestOf(replay.shadow.db, projection);
  return same ? null : 'it differs from a replay of the log';
};
