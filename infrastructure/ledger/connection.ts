import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../migrations/migrations.ts';
import { nativeBinding } from './native-binding.ts';
import { guarded } from './sqlite-failure.ts';
import { hasWalResetBug } from './sqlite-version.ts';

export type Mode = 'create' | 'write' | 'read';
export type Connection = SQLite.Database;

const BUSY_TIMEOUT_MS = 5000;
const JOURNAL_SIZE_LIMIT = 64 * 2 ** 20;
const FULL = 2;

const fsyncDirectory = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** The file exists with its final mode before SQLite writes a byte into it: -wal and -shm inherit that mode. */
const createFile = (file: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  fsyncDirectory(dirname(file));
};

const connect = (file: string, readonly: boolean): Connection => {
  const binding = nativeBinding();
  return new SQLite(file, { readonly, timeout: BUSY_TIMEOUT_MS, ...(binding ? { nativeBinding: binding } : {}) });
};

/** A database that nobody else sees and that is gone when it is closed. */
export const memoryConnection = (): Connection => connect(':memory:', false);

const numberOf = (db: Connection, pragma: string): number => Number(db.pragma(pragma, { simple: true }));

const identify = (db: Connection, file: string, mode: Mode): Result<number, Failure> => {
  const application = numberOf(db, 'application_id');
  const version = numberOf(db, 'user_version');
  if (application === 0 && version === 0 && mode === 'create') {
    const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
    if (tables === 0) return ok(0);
  }
  if (application !== APPLICATION_ID) return err(failure('D_HOME_FOREIGN', `${file} is not a ledger of domtrail`));
  if (version > MIGRATIONS.length) {
    const message = `${file} has schema ${version}; this domtrail knows ${MIGRATIONS.length}`;
    return err(failure('D_HOME_NEWER', message, { next: 'use the domtrail that wrote it, or a newer one' }));
  }
  return ok(version);
};

/** The settings of spec: event-store 4, set on every open because SQLite stores only some of them. */
const harden = (db: Connection, mode: Mode): void => {
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  db.pragma('foreign_keys = ON');
  db.pragma('temp_store = MEMORY');
  if (mode === 'read') {
    db.pragma('query_only = ON');
    return;
  }
  const journal = db.pragma('journal_mode = WAL', { simple: true });
  if (journal !== 'wal') throw new Error(`SQLite refused WAL and answered ${String(journal)}`);
  // better-sqlite3 is built to drop to NORMAL in WAL, where the last commits may vanish with the power.
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 1000');
  db.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT}`);
};

const migrate = (db: Connection, from: number): void => {
  if (from === MIGRATIONS.length) return;
  db.transaction(() => {
    for (const sql of MIGRATIONS.slice(from)) db.exec(sql);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  }).exclusive();
};

/** The read-back counts only after a write: before it, a new file shows FULL whatever it will do (spec: baselines). */
export const assertFullSync = (db: Connection): void => {
  const level = numberOf(db, 'synchronous');
  if (level !== FULL) throw new Error(`the ledger would be written with synchronous=${level}`);
};

const missing = (file: string): Failure =>
  failure('D_HOME_MISSING', `there is no ledger at ${file}`, { next: `domtrail init --home ${dirname(file)}` });

const prepared = (db: Connection, file: string, mode: Mode): Result<Connection, Failure> => {
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  if (hasWalResetBug(version)) {
    return err(failure('D_SQLITE_UNSAFE', `SQLite ${version} can lose committed transactions in WAL mode: install another better-sqlite3`));
  }
  const identified = identify(db, file, mode);
  if (!identified.ok) return identified;
  if (mode === 'read' && identified.value < MIGRATIONS.length) {
    return err(failure('D_HOME_NEWER', `${file} has the old schema ${identified.value}`, { next: 'domtrail recover   (brings it up to date)' }));
  }
  harden(db, mode);
  if (mode !== 'read') {
    migrate(db, identified.value);
    if (identified.value < MIGRATIONS.length) assertFullSync(db);
  }
  return ok(db);
};

/** Opens a ledger's database, hardened; creates it only in mode `create`. Never changes a file that is not ours. */
export const openConnection = (file: string, mode: Mode): Result<Connection, Failure> =>
  guarded(file, () => {
    const there = existsSync(file);
    if (!there && mode !== 'create') return err(missing(file));
    if (there && statSync(file).size === 0 && mode !== 'create') {
      return err(failure('D_HOME_UNREADABLE', `${file} is empty: it was cut off or never written`));
    }
    if (!there) createFile(file);
    const db = connect(file, mode === 'read');
    try {
      const result = prepared(db, file, mode);
      if (!result.ok) db.close();
      else if (!there) fsyncDirectory(join(dirname(file)));
      return result;
    } catch (error) {
      db.close();
      throw error;
    }
  });
