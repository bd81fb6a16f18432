import { hash } from 'node:crypto';
import { emptyHost, evolve } from '../../domain/host/host.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Connection, memoryConnection } from './connection.ts';
import { eventsBetween } from './fold.ts';
import { type Ledger, readHead, sqlOf, statement } from './ledger.ts';
import type { Projection, Sql } from './projection.port.ts';
import { guarded } from './sqlite-failure.ts';
import { currentHost, readCheckpoint, STATE_VERSION, saveCheckpoint, saveEntities } from './state.ts';

const SHADOW = 'shadow_';

const drop = (ledger: Ledger, projection: Projection, prefix: string): void => {
  for (const table of projection.tables) ledger.db.exec(`DROP TABLE IF EXISTS ${prefix}${table}`);
};

type Target = { readonly db: Connection; readonly sql: Sql; readonly prefix: string };

/** Fills tables under a prefix from the first event on. The state runs along, because a projection may look at it. */
const fill = (ledger: Ledger, projection: Projection, { db, sql, prefix }: Target, to: number): void => {
  db.exec(projection.schema(prefix));
  const host = emptyHost();
  for (const recorded of eventsBetween(ledger, 0, to)) {
    evolve(host, recorded);
    projection.apply(sql, prefix, recorded, host);
  }
};

/** A database in memory that a projection can be replayed into while the ledger is only read. */
export const replayed = (ledger: Ledger, projection: Projection, to: number): Target => {
  const db = memoryConnection();
  const target = { db, sql: sqlOf(db), prefix: '' };
  db.transaction(() => fill(ledger, projection, target, to))();
  return target;
};

/** The digest a projection would have if it were made again up to a position. */
export const rebuildShadow = (ledger: Ledger, projection: Projection, to: number): string => {
  const { db } = replayed(ledger, projection, to);
  const digest = digestOf(db, projection);
  db.close();
  return digest;
};

/** sha256 over every row of a projection's tables in a fixed order: equal digests, equal content. */
export const digestOf = (db: Connection, projection: Projection, prefix = ''): string => {
  const parts: string[] = [];
  for (const table of projection.tables) {
    const rows = db.prepare(`SELECT * FROM ${prefix}${table}`).raw().all() as unknown[][];
    parts.push(table, ...rows.map((row) => JSON.stringify(row)).sort());
  }
  return hash('sha256', parts.join('\n'));
};

const swap = (ledger: Ledger, projection: Projection, position: number): void => {
  drop(ledger, projection, '');
  for (const table of projection.tables) ledger.db.exec(`ALTER TABLE ${SHADOW}${table} RENAME TO ${table}`);
  saveCheckpoint(ledger, projection.name, projection.version, position);
};

export type Rebuilt = { readonly name: string; readonly position: number; readonly before: string | null; readonly after: string };

/**
 * Makes a projection again from the log, beside the live tables, and swaps it in: a reader sees the old rows or the new,
 * never some of each. The digests say whether anything changed. `swapped` false only compares.
 */
export const rebuild = (ledger: Ledger, projection: Projection, swapped: boolean): Result<Rebuilt, Failure> =>
  guarded(ledger.file, () =>
    ledger.db
      .transaction((): Result<Rebuilt, Failure> => {
        const { position } = readHead(ledger);
        const known = readCheckpoint(ledger, projection.name);
        const before = known ? digestOf(ledger.db, projection) : null;
        drop(ledger, projection, SHADOW);
        fill(ledger, projection, { db: ledger.db, sql: ledger.sql, prefix: SHADOW }, position);
        const after = digestOf(ledger.db, projection, SHADOW);
        if (swapped) swap(ledger, projection, position);
        else drop(ledger, projection, SHADOW);
        return ok({ name: projection.name, position, before, after });
      })
      .immediate(),
  );

/** Brings the stored state and every projection to the head: after an upgrade of the code, or for a new projection. */
export const catchUp = (ledger: Ledger): Result<null, Failure> => {
  const state = readCheckpoint(ledger, 'state');
  const head = readHead(ledger).position;
  if (head > 0 && (state?.version !== STATE_VERSION || state.position !== head)) {
    const saved = guarded(ledger.file, () => ok(restate(ledger)));
    if (!saved.ok) return saved;
  }
  for (const projection of ledger.projections) {
    const known = readCheckpoint(ledger, projection.name);
    if (known?.version === projection.version && known.position === head) continue;
    const rebuilt = rebuild(ledger, projection, true);
    if (!rebuilt.ok) return rebuilt;
  }
  return ok(null);
};

/** Stores the whole state anew from a fold of the log. */
const restate = (ledger: Ledger): null => {
  ledger.cache.host = null;
  ledger.db
    .transaction(() => {
      statement(ledger, 'DELETE FROM entities').run();
      statement(ledger, "DELETE FROM checkpoints WHERE name = 'state'").run();
      const host = emptyHost();
      const touched = new Map<string, number>();
      for (const recorded of eventsBetween(ledger, 0, readHead(ledger).position)) touched.set(evolve(host, recorded), recorded.position);
      saveEntities(ledger, host, touched);
    })
    .immediate();
  currentHost(ledger);
  return null;
};
