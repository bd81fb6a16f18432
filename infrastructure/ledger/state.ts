import type { Recorded } from '../../domain/event.ts';
import {
  type EntityKey,
  emptyHost,
  entityOf,
  evolve,
  type Host,
  restoreEntity,
  STATE_VERSION,
} from '../../domain/host/host.ts';
import { hostAtBeginning } from './beginning.ts';
import { foldTo } from './fold.ts';
import { type Head, type Ledger, readHead, snapshot, statement } from './ledger.ts';
import { LogDamaged } from './sqlite-failure.ts';

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

/** The newest event and its hash, written with it: the one checkpoint that moves with every transaction. */
export const LOG = 'log';
const LOG_VERSION = 1;

const MOVE_LOG = `UPDATE checkpoints SET position = ?, digest = ? WHERE name = '${LOG}'`;

const moveLog = (ledger: Ledger, { position, hash }: Head): void => {
  if (statement(ledger, MOVE_LOG).run(position, hash).changes === 1) return;
  saveCheckpoint(ledger, { name: LOG, version: LOG_VERSION, position, digest: hash });
};

/** Says that a projection has every event up to the newest, and will get each one with the transaction that appends it. */
export const keepInStep = (ledger: Ledger, { name, version }: Pick<Checkpoint, 'name' | 'version'>): void => {
  moveLog(ledger, readHead(ledger));
  statement(ledger, UPSERT_CHECKPOINT).run(name, version, null, null);
};

const CHECKPOINTS = `SELECT name, version, coalesce(position, (SELECT position FROM checkpoints WHERE name = '${LOG}'), 0) AS position, digest FROM checkpoints`;

export const readCheckpoint = (ledger: Ledger, name: string): Checkpoint | null =>
  (statement(ledger, `${CHECKPOINTS} WHERE name = ?`).get(name) as Checkpoint | undefined) ?? null;

export const allCheckpoints = (ledger: Ledger): ReadonlyMap<string, Checkpoint> => {
  const rows = statement(ledger, CHECKPOINTS).all() as Checkpoint[];
  return new Map(rows.map((row) => [row.name, row]));
};

const IN_STEP = 'SELECT name, version FROM checkpoints WHERE position IS NULL';

/** A projection that another domtrail keeps and this one does not know stays where it is from now on. */
export const leaveBehind = (ledger: Ledger): void => {
  const kept = new Map(ledger.projections.map(({ name, version }) => [name, version]));
  for (const { name, version } of statement(ledger, IN_STEP).all() as Checkpoint[]) {
    if (kept.get(name) === version) continue;
    saveCheckpoint(ledger, { name, version, position: ledger.cache.head.position });
  }
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

/** What the ledger keeps of the state, as JSON by key, and the position at which it stands. */
export const storedValues = (
  ledger: Ledger,
): { readonly position: number; readonly values: ReadonlyMap<EntityKey, string> } => {
  const rows = statement(ledger, 'SELECT key, state FROM entities').raw().all() as [EntityKey, string][];
  return { position: readCheckpoint(ledger, 'state')?.position ?? 0, values: new Map(rows) };
};

/** Takes a state on to a position and remembers what changed on the way. */
const takenOn = (ledger: Ledger, to: number, host: Host): Host =>
  foldTo(ledger, to, host, ({ position }, key) => ledger.cache.touched.set(key, position));

/** The stored state and the events since; null when there is none, or when it is so damaged that they do not follow from it. */
const storedHost = (ledger: Ledger): Host | null => {
  const { cache } = ledger;
  const checkpoint = readCheckpoint(ledger, 'state');
  if (checkpoint?.version !== STATE_VERSION || checkpoint.position > cache.head.position) return null;
  cache.stored = checkpoint.position;
  try {
    return takenOn(ledger, cache.head.position, restore(ledger, checkpoint.position));
  } catch (error) {
    if (error instanceof LogDamaged || error instanceof SyntaxError) return null;
    throw error;
  }
};

const load = (ledger: Ledger): Host =>
  snapshot(ledger, () => {
    const { cache } = ledger;
    cache.head = readHead(ledger);
    cache.touched.clear();
    const stored = storedHost(ledger);
    if (stored) return stored;
    cache.stored = 0;
    return takenOn(ledger, cache.head.position, hostAtBeginning(ledger));
  });

/** The state at the head: what this process already has, else the stored values and the events since. Brought up to what others wrote. */
export const currentHost = (ledger: Ledger): Host => {
  const { cache } = ledger;
  if (cache.host) {
    cache.head = readHead(ledger);
    if (cache.host.position <= cache.head.position) return takenOn(ledger, cache.head.position, cache.host);
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

/** Folds new events in, inside the transaction that appended them. */
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

/** A reader folds this many events at most, in two or three milliseconds; storing the state with each command would cost more than the command. */
export const EVENTS_BETWEEN_STATES = 1024;

/** The last thing a transaction writes: how far the log has come, and now and then the state. */
export const moveOn = (ledger: Ledger, host: Host): void => {
  const { cache } = ledger;
  if (host.position === 0) return;
  moveLog(ledger, cache.head);
  if (cache.stored > 0 && host.position - cache.stored < EVENTS_BETWEEN_STATES) return;
  if (cache.stored === 0) clearEntities(ledger);
  saveEntities(ledger, host, cache.touched);
  cache.touched.clear();
  cache.stored = host.position;
};
