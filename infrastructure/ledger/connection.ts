import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import SQLite from 'better-sqlite3';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../migrations/migrations.ts';
import { inspectFile, rememberOpened, sizeOf, unfinished } from './file-header.ts';
import { makeFile } from './make-file.ts';
import { nativeBinding } from './native-binding.ts';
import { guarded, sqliteFailure } from './sqlite-failure.ts';
import { hasWalResetBug } from './sqlite-version.ts';

export type Mode = 'create' | 'write' | 'read';
export type Connection = SQLite.Database;

const BUSY_TIMEOUT_MS = 5000;
const JOURNAL_SIZE_LIMIT = 64 * 2 ** 20;
const FULL = 2;
/** A ledger that can only be read through memory is copied there twice, by Node and by SQLite. */
const LARGEST_IMAGE = 2 ** 30;

const optionsOf = (readonly: boolean): SQLite.Options => {
  const binding = nativeBinding();
  return { readonly, timeout: BUSY_TIMEOUT_MS, ...(binding ? { nativeBinding: binding } : {}) };
};

const connect = (file: string, readonly: boolean): Connection =>
  new SQLite(resolve(file), { ...optionsOf(readonly), fileMustExist: true });

/** A database that nobody else sees and that is gone when it is closed. */
export const memoryConnection = (): Connection => new SQLite(':memory:', optionsOf(false));

const numberOf = (db: Connection, pragma: string): number => Number(db.pragma(pragma, { simple: true }));

const identify = (db: Connection, file: string, mode: Mode): Result<number, Failure> => {
  const application = numberOf(db, 'application_id');
  const version = numberOf(db, 'user_version');
  if (application === 0 && version === 0 && db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0) {
    return mode === 'create' ? ok(0) : err(unfinished(file));
  }
  if (application !== APPLICATION_ID) return err(failure('D_HOME_FOREIGN', `${file} is not a ledger of domtrail`));
  if (version > MIGRATIONS.length) {
    const message = `${file} has schema ${version}; this domtrail knows ${MIGRATIONS.length}`;
    return err(failure('D_HOME_NEWER', message, { next: 'use the domtrail that wrote it, or a newer one' }));
  }
  if (mode === 'read' && version < MIGRATIONS.length) {
    return err(
      failure('D_HOME_NEWER', `${file} has the old schema ${version}`, {
        next: 'domtrail recover   (brings it up to date)',
      }),
    );
  }
  return ok(version);
};

/** The settings of spec: event-store 4, set on every open because SQLite stores only some of them. */
const harden = (db: Connection, mode: Mode): void => {
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  db.pragma('foreign_keys = ON');
  db.pragma('recursive_triggers = ON');
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

/** The version is read again under the lock: two processes may start on an old ledger at the same moment. */
const migrate = (db: Connection): void => {
  db.transaction(() => {
    for (const sql of MIGRATIONS.slice(numberOf(db, 'user_version'))) db.exec(sql);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  }).exclusive();
};

/** The read-back counts only after a write: before it, a new file shows FULL whatever it will do (spec: baselines). */
export const assertFullSync = (db: Connection): void => {
  const level = numberOf(db, 'synchronous');
  if (level !== FULL) throw new Error(`the ledger would be written with synchronous=${level}`);
};

const prepared = (db: Connection, file: string, mode: Mode): Result<Connection, Failure> => {
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  if (hasWalResetBug(version)) {
    return err(
      failure(
        'D_SQLITE_UNSAFE',
        `SQLite ${version} can lose committed transactions in WAL mode: install another better-sqlite3`,
      ),
    );
  }
  const identified = identify(db, file, mode);
  if (!identified.ok) return identified;
  harden(db, mode);
  if (mode !== 'read' && identified.value < MIGRATIONS.length) {
    migrate(db);
    assertFullSync(db);
  }
  return ok(db);
};

const closedOnFailure = (db: Connection, file: string, mode: Mode): Result<Connection, Failure> => {
  try {
    const result = prepared(db, file, mode);
    if (result.ok) rememberOpened(file);
    else db.close();
    return result;
  } catch (error) {
    db.close();
    throw error;
  }
};

const COPY = 'copy the directory to where you may write, and read the copy with --db';

/** The file as it lies there, in memory: all that is left where SQLite may not put its index beside it. */
const openImage = (file: string, why: Failure): Result<Connection, Failure> => {
  if ((sizeOf(`${file}-wal`) ?? 0) > 0 || (sizeOf(file) ?? 0) > LARGEST_IMAGE) return err({ ...why, next: COPY });
  const image = readFileSync(file);
  // Write and read version 1: SQLite cannot read an image that claims to have a write-ahead log (fileformat2, 1.3).
  image.fill(1, 18, 20);
  return closedOnFailure(new SQLite(image, optionsOf(false)), file, 'read');
};

/**
 * Reading leaves nothing behind. A read-only connection would: it cannot remove the index it makes. So it is used only
 * where a log lies beside the file, which a connection that may write would check-point; else `query_only` has to do.
 */
const openToRead = (file: string): Result<Connection, Failure> => {
  const readonly = (sizeOf(`${file}-wal`) ?? 0) > 0;
  try {
    return closedOnFailure(connect(file, readonly), file, 'read');
  } catch (error) {
    const refusal = sqliteFailure(error, file);
    const code = error instanceof SQLite.SqliteError ? error.code : '';
    if (refusal && /^SQLITE_(CANTOPEN|READONLY|FULL|IOERR_SHM)/.test(code)) return openImage(file, refusal);
    throw error;
  }
};

const missing = (file: string): Failure =>
  failure('D_HOME_MISSING', `there is no ledger at ${file}`, { next: `domtrail init --home ${dirname(file)}` });

/** Opens a ledger's database, hardened; creates it only in mode `create`. Never changes a file that is not ours. */
export const openConnection = (file: string, mode: Mode): Result<Connection, Failure> =>
  guarded(file, () => {
    if (sizeOf(file) === null) {
      if (mode !== 'create') return err(missing(file));
      makeFile(file);
    }
    const inspected = inspectFile(file, mode === 'create');
    if (!inspected.ok) return inspected;
    return mode === 'read' ? openToRead(file) : closedOnFailure(connect(file, false), file, mode);
  });
