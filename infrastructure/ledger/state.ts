import type { Recorded } from '../../domain/event.ts';
import { type EntityKey, emptyHost, entityOf, evolve, type Host, restoreEntity } from '../../domain/host/host.ts';
import { foldTo } from './fold.ts';
import { type Ledger, readHead, snapshot, statement } from './ledger.ts';

/** Raise this when `evolve` changes what it makes of old events: stored values of another version are folded again. */
export const STATE_VERSION = 3;

const UPSERT =
  'INSERT INTO entities (key, position, state) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET position = excluded.position, state = excluded.state';

const saveEntity = (ledger: Ledger, host: Host, key: EntityKey, position: number): void => {
  const value = entityOf(host, key);
  if (value === undefined) statement(ledger, 'DELETE FROM entities WHERE key = ?').run(key);
  else statement(ledger, UPSERT).run(key, position, JSON.stringify(value));
};

/** How far something derived has come. `version`: of the code that made it; `digest`: of the file, for those in files. */
export type Checkpoint = {
  readonly name: string;
  readonly version: number;
  readonly position: number;
  readonly digest?: string | null;
};

const UPSERT_CHECKPOINT = `INSERT INTO checkpoints (name, version, position, digest) VALUES (?, ?, ?, ?) ON CONFLICT (name)
  DO UPDATE SET version = excluded.version, position = excluded.position, digest = excluded.digest`;

export const saveCheckpoint = (ledger: Ledger, { name, version, position, digest }: Checkpoint): void => {
  statement(ledger, UPSERT_CHECKPOINT).run(name, version, position, digest ?? null);
};

export const readCheckpoint = (ledger: Ledger, name: string): Checkpoint | null =>
  (statement(ledger, 'SELECT name, version, position, digest FROM checkpoints WHERE name = ?').get(name) as
    | Checkpoint
    | undefined) ?? null;

export const allCheckpoints = (ledger: Ledger): ReadonlyMap<string, Checkpoint> => {
  const rows = statement(ledger, 'SELECT name, version, position, digest FROM checkpoints').all() as Checkpoint[];
  return new Map(rows.map((row) => [row.name, row]));
};

export const clearEntities = (ledger: Ledger): void => {
  statement(ledger, 'DELETE FROM entities').run();
};

const restore = (ledger: Ledger, position: number): Host => {
  const host = emptyHost();
  const rows = statement(ledger, 'SELECT key, state FROM entities ORDER BY key').raw().all() as [string, string][];
  for (const [key, state] of rows) restoreEntity(host, key, JSON.parse(state));
  host.position = position;
  return host;
};

const load = (ledger: Ledger): Host =>
  snapshot(ledger, () => {
    const head = readHead(ledger);
    ledger.cache.head = head;
    const checkpoint = readCheckpoint(ledger, 'state');
    const usable = checkpoint?.version === STATE_VERSION && checkpoint.position <= head.position;
    return foldTo(ledger, head.position, usable ? restore(ledger, checkpoint.position) : emptyHost());
  });

/** The state at the head: what this process already has, else the stored values, else a fold. Brought up to what others wrote. */
export const currentHost = (ledger: Ledger): Host => {
  const { cache } = ledger;
  if (cache.host) {
    cache.head = readHead(ledger);
    if (cache.host.position <= cache.head.position) return foldTo(ledger, cache.head.position, cache.host);
  }
  cache.host = null;
  cache.host = load(ledger);
  return cache.host;
};

/** Stores the values behind some keys, and that the state stands at its position. */
export const saveEntities = (ledger: Ledger, host: Host, touched: ReadonlyMap<EntityKey, number>): void => {
  for (const [key, position] of touched) saveEntity(ledger, host, key, position);
  saveCheckpoint(ledger, { name: 'state', version: STATE_VERSION, position: host.position });
};

/** Folds new events in, inside the transaction that appended them; `storeTouched` stores what they changed. */
export const foldIn = (ledger: Ledger, host: Host, recorded: readonly Recorded[]): void => {
  const { touched } = ledger.cache;
  for (const one of recorded) {
    const wasOpen = host.operations.has(one.command);
    const key = evolve(host, one);
    // A command without steps never was an operation: there is nothing to store or to remove.
    if (wasOpen || !key.startsWith('operation/') || host.operations.has(one.command)) touched.set(key, one.position);
    for (const projection of ledger.projections) projection.apply(ledger.sql, '', one, host);
  }
};

const MOVE_CHECKPOINTS = `UPDATE checkpoints SET position = ? WHERE version = CASE name`;

/** Moves the checkpoints of the state and of every projection to a position: one statement, as all are known to be there. */
const moveCheckpoints = (ledger: Ledger, position: number): void => {
  const all = [{ name: 'state', version: STATE_VERSION }, ...ledger.projections];
  const cases = all.map(() => 'WHEN ? THEN ?').join(' ');
  const names = all.flatMap(({ name, version }) => [name, version]);
  const moved = statement(ledger, `${MOVE_CHECKPOINTS} ${cases} END`).run(position, ...names);
  if (moved.changes === all.length) return;
  for (const { name, version } of all) saveCheckpoint(ledger, { name, version, position });
};

/** The last thing a transaction writes: each value that its events changed, once, and how far everything has come. */
export const storeTouched = (ledger: Ledger, host: Host): void => {
  const { touched } = ledger.cache;
  for (const [key, position] of touched) saveEntity(ledger, host, key, position);
  touched.clear();
  if (host.position > 0) moveCheckpoints(ledger, host.position);
};
