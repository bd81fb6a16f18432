import { createHash } from 'node:crypto';
import type { Failure } from '../../domain/failure.ts';
import { type EntityKey, emptyHost, type Host, STATE_VERSION } from '../../domain/host/host.ts';
import { ok, type Result } from '../../domain/result.ts';
import { beginningOf, hostAtBeginning, keysAtBeginning, outcomesAtBeginning } from './beginning.ts';
import { type Connection, memoryConnection } from './connection.ts';
import { foldTo } from './fold.ts';
import { type Ledger, readHead, snapshot, sqlOf, writing } from './ledger.ts';
import { clearOutcomes, followOutcome, storeOutcome } from './outcomes.ts';
import type { Projection, Sql } from './projection.port.ts';
import { eventsCutOff, guarded } from './sqlite-failure.ts';
import {
  allCheckpoints,
  clearEntities,
  currentHost,
  EVENTS_BETWEEN_STATES,
  keepInStep,
  leaveBehind,
  readCheckpoint,
  saveEntities,
} from './state.ts';

/** A projection's tables in a database in memory, and the state that ran along while they were filled. */
export type Shadow = { readonly db: Connection; readonly sql: Sql; readonly prefix: string; readonly host: Host };

const follow = (ledger: Ledger, projection: Projection, { db, sql, prefix, host }: Shadow, to: number): void => {
  db.transaction(() => {
    foldTo(ledger, to, host, (recorded) => projection.apply(sql, prefix, recorded, host));
  })();
};

/** Empty tables of a projection in memory. The caller fills them and closes `db`. */
export const emptyShadow = (projection: Projection, host = emptyHost()): Shadow => {
  const db = memoryConnection();
  db.exec(projection.schema(''));
  return { db, sql: sqlOf(db), prefix: '', host };
};

/** A projection as it was at a position, replayed into memory: the ledger is only read. The caller closes `db`. */
export const replayed = (ledger: Ledger, projection: Projection, to: number): Shadow => {
  const shadow = emptyShadow(projection, hostAtBeginning(ledger));
  follow(ledger, projection, shadow, to);
  return shadow;
};

const KEY = `SELECT group_concat('"' || name || '"') FROM (SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk)`;

/** Rows in the order of the key, or of all columns where a table has none: never in the order of their making. */
const rowsInOrder = (db: Connection, table: string): IterableIterator<unknown> => {
  const key = db.prepare(KEY).pluck().get(table) as string | null;
  const columns = db.prepare(`SELECT * FROM ${table}`).columns();
  const order = key ?? columns.map((_, index) => index + 1).join(', ');
  return db.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).raw().iterate();
};

/** Rows are hashed by the hundred: one call for each would cost more than the hashing. */
const ROWS_AT_ONCE = 100;

/** sha256 over every row of a projection's tables in a fixed order: equal digests, equal content. */
export const digestOf = (db: Connection, projection: Projection, prefix = ''): string => {
  const digest = createHash('sha256');
  for (const table of projection.tables) {
    digest.update(`${table}\n`);
    let rows: unknown[] = [];
    const take = (): void => {
      digest.update(JSON.stringify(rows));
      rows = [];
    };
    for (const row of rowsInOrder(db, `${prefix}${table}`)) {
      if (rows.push(row) === ROWS_AT_ONCE) take();
    }
    take();
  }
  return digest.digest('hex');
};

const hasTables = ({ db }: Ledger, { tables }: Projection): boolean =>
  tables.every(
    (table) => db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined,
  );

const copyRows = (from: Connection, to: Connection, table: string): void => {
  const rows = from.prepare(`SELECT * FROM ${table}`).raw();
  const insert = to.prepare(
    `INSERT INTO ${table} VALUES (${rows
      .columns()
      .map(() => '?')
      .join(', ')})`,
  );
  for (const row of rows.iterate()) insert.run(...(row as unknown[]));
};

const replace = ({ db }: Ledger, projection: Projection, shadow: Shadow): void => {
  for (const table of projection.tables) db.exec(`DROP TABLE IF EXISTS ${table}`);
  db.exec(projection.schema(''));
  for (const table of projection.tables) copyRows(shadow.db, db, table);
};

/** `before` is null where there was nothing, or only tables of another version. */
export type Rebuilt = {
  readonly name: string;
  readonly position: number;
  readonly before: string | null;
  readonly after: string;
};

const compare = (ledger: Ledger, projection: Projection, shadow: Shadow): Rebuilt => {
  const { position } = readHead(ledger);
  follow(ledger, projection, shadow, position);
  const known = readCheckpoint(ledger, projection.name);
  const comparable = known?.version === projection.version && hasTables(ledger, projection);
  const before = comparable ? digestOf(ledger.db, projection) : null;
  return { name: projection.name, position, before, after: digestOf(shadow.db, projection) };
};

/** Inside a write transaction: the rest of the log into the shadow, and the shadow's rows in the place of the stored ones. */
const swap = (ledger: Ledger, projection: Projection, shadow: Shadow): Rebuilt => {
  const rebuilt = compare(ledger, projection, shadow);
  if (rebuilt.before !== rebuilt.after) replace(ledger, projection, shadow);
  keepInStep(ledger, projection);
  return rebuilt;
};

/**
 * Makes a projection again from the log, in memory beside the stored tables, and swaps it in with one transaction: a
 * reader sees the old rows or the new, never some of each, and writers wait for the swap only. A rebuild that is killed
 * leaves everything as it was. The digests say whether anything changed. `swapped` false only compares.
 */
export const rebuild = (ledger: Ledger, projection: Projection, swapped: boolean): Result<Rebuilt, Failure> =>
  guarded(ledger.file, () => {
    const shadow = replayed(ledger, projection, readHead(ledger).position);
    try {
      if (!swapped) return ok(snapshot(ledger, () => compare(ledger, projection, shadow)));
      return ok(writing(ledger, () => swap(ledger, projection, shadow)));
    } finally {
      shadow.db.close();
    }
  });

/** Whether a projection's stored tables say what the log says: a reader cannot bring them up. */
export const inStep = (ledger: Ledger, { name, version }: Projection): boolean => {
  const known = readCheckpoint(ledger, name);
  return known?.version === version && known.position === readHead(ledger).position;
};

type Lagging = { readonly state: boolean; readonly projections: readonly Projection[] };

const lagging = (ledger: Ledger): Lagging => {
  const { position } = ledger.cache.head;
  const checkpoints = allCheckpoints(ledger);
  // Folding again would wipe out the trace that the events were there.
  const seen = Math.max(0, ...[...checkpoints.values()].map((one) => one.position));
  if (seen > position) throw eventsCutOff(position, seen);
  const outdated = (name: string, version: number): boolean => checkpoints.get(name)?.version !== version;
  const projections = ledger.projections.filter(
    ({ name, version }) => outdated(name, version) || checkpoints.get(name)?.position !== position,
  );
  const stored = checkpoints.get('state')?.position ?? 0;
  const state = outdated('state', STATE_VERSION) || position - stored >= EVENTS_BETWEEN_STATES;
  return { state: position > 0 && state, projections };
};

/** Stores the whole state anew from a fold of the log. */
const restate = (ledger: Ledger): void => {
  clearEntities(ledger);
  clearOutcomes(ledger);
  const { position } = beginningOf(ledger);
  const touched = new Map<EntityKey, number>(keysAtBeginning(ledger).map((key) => [key, position]));
  const outcomes = outcomesAtBeginning(ledger);
  const host = foldTo(ledger, ledger.cache.head.position, hostAtBeginning(ledger), (recorded, key) => {
    touched.set(key, recorded.position);
    followOutcome(outcomes, recorded);
  });
  for (const outcome of outcomes.values()) storeOutcome(ledger, outcome);
  saveEntities(ledger, host, touched);
  ledger.cache.host = null;
};

/**
 * Inside a write transaction: the state at the head, after everything that is stored of it stands there too. A domtrail
 * with other projections or an older fold may have written since this process last did.
 */
export const writableHost = (ledger: Ledger): Host => {
  const { cache } = ledger;
  if (!cache.steady) bringUp(ledger, lagging(ledger));
  cache.steady = true;
  return cache.host ?? currentHost(ledger);
};

const bringUp = (ledger: Ledger, { state, projections }: Lagging): void => {
  leaveBehind(ledger);
  if (state) restate(ledger);
  for (const projection of projections) {
    const shadow = replayed(ledger, projection, ledger.cache.head.position);
    try {
      swap(ledger, projection, shadow);
    } finally {
      shadow.db.close();
    }
  }
  // Whatever was known of the state, others may have gone on from it.
  if (ledger.cache.host) currentHost(ledger);
};

/** Brings the stored state and every projection to the head: after an upgrade of the code, or for a new projection. */
export const catchUp = (ledger: Ledger): Result<null, Failure> =>
  guarded(ledger.file, () => {
    const look = (): Lagging => {
      ledger.cache.head = readHead(ledger);
      return lagging(ledger);
    };
    const { state, projections } = snapshot(ledger, look);
    if (state || projections.length > 0) writing(ledger, () => bringUp(ledger, look()));
    return ok(null);
  });
