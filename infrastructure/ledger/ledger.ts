import SQLite, { type Statement as BetterStatement } from 'better-sqlite3';
import { type Failure, failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Connection, type Mode, openConnection } from './connection.ts';
import { checkAfterCrash, leftALog } from './crash-check.ts';
import { GENESIS } from './hashes.ts';
import type { Projection, Sql } from './projection.port.ts';
import { guarded, sqliteFailure } from './sqlite-failure.ts';

export type Head = { readonly position: number; readonly hash: string };

/**
 * What a process knows between its transactions. `seen` is SQLite's data_version at its last commit: as long as it stays
 * the same, nobody else has written, and `head` and `token` are what the file says. `steady`: everything derived stands at
 * the head, too; `versions` (of streams) and `seq` (of the command log) are then right as well. `touched`: the values of
 * `host` that events after `stored` changed, the position at which the ledger's own copy of the state stands.
 */
type Cache = {
  host: Host | null;
  head: Head;
  token: number | null;
  seen: number | null;
  steady: boolean;
  seq: number | null;
  readonly versions: Map<string, number>;
  readonly touched: Map<string, number>;
  stored: number;
};

/** What was remembered of the log no longer counts: somebody else wrote, or a transaction was taken back. */
export const forgetLog = ({ cache }: Pick<Ledger, 'cache'>): void => {
  cache.seq = null;
  cache.versions.clear();
};

/**
 * An open ledger. `cache.host` is the state as this process last saw it; it is folded in place, so a reader that wants to keep
 * a state must fold its own.
 */
export type Ledger = {
  readonly file: string;
  readonly mode: Mode;
  readonly db: Connection;
  readonly sql: Sql;
  readonly projections: readonly Projection[];
  readonly cache: Cache;
  /** called after each commit with the new head's position */
  readonly committed: Set<(position: number) => void>;
};

type Statement = BetterStatement<unknown[], unknown>;

/** Prepares each SQL text once: preparing costs more than running (spec: baselines, prepared statements). */
const statementsOf = (db: Connection): ((sql: string) => Statement) => {
  const prepared = new Map<string, Statement>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known) return known;
    const made = db.prepare(sql);
    prepared.set(sql, made);
    return made;
  };
};

const STATEMENTS = new WeakMap<Connection, (sql: string) => Statement>();

/** The prepared statement for an SQL text on this ledger's connection. */
export const statement = ({ db }: Pick<Ledger, 'db'>, sql: string): Statement => {
  let find = STATEMENTS.get(db);
  if (!find) {
    find = statementsOf(db);
    STATEMENTS.set(db, find);
  }
  return find(sql);
};

type Runner = SQLite.Transaction<(work: () => unknown) => unknown>;
const RUNNERS = new WeakMap<Connection, Runner>();

/** Making a transaction function costs a tenth of a command; one that runs whatever it is given is enough. */
const runnerOf = (db: Connection): Runner => {
  const known = RUNNERS.get(db);
  if (known) return known;
  const made = db.transaction((work: () => unknown) => work());
  RUNNERS.set(db, made);
  return made;
};

/**
 * Under the write lock from the start: a transaction that only turns into a writer gets SQLITE_BUSY at once, whatever the
 * busy timeout says. All of it or nothing.
 */
export const writing = <T>({ db }: Pick<Ledger, 'db'>, work: () => T): T => runnerOf(db).immediate(work) as T;

/** Several reads of one and the same state of the log, whatever others write meanwhile. */
export const snapshot = <T>({ db }: Pick<Ledger, 'db'>, read: () => T): T =>
  db.inTransaction ? read() : (runnerOf(db).deferred(read) as T);

export const sqlOf = (db: Connection): Sql => ({
  run: (sql, ...values) => {
    statement({ db }, sql).run(...values);
  },
  all: (sql, ...values) => statement({ db }, sql).all(...values) as ReturnType<Sql['all']>,
});

/** Changes with every commit of another connection, and with none of this one (sqlite.org/pragma.html#pragma_data_version). */
export const dataVersion = (ledger: Pick<Ledger, 'db'>): number =>
  statement(ledger, 'PRAGMA data_version').pluck().get() as number;

export const readHead = (ledger: Pick<Ledger, 'db'>): Head => {
  const row = statement(
    ledger,
    'SELECT position, hex(hash) AS hash FROM events ORDER BY position DESC LIMIT 1',
  ).get() as { position: number; hash: string } | undefined;
  return row ? { position: row.position, hash: row.hash.toLowerCase() } : { position: 0, hash: GENESIS };
};

const ledgerOn = (db: Connection, file: string, mode: Mode, projections: readonly Projection[]): Ledger => ({
  file,
  mode,
  db,
  sql: sqlOf(db),
  projections,
  cache: {
    host: null,
    head: readHead({ db }),
    token: null,
    seen: null,
    steady: false,
    seq: null,
    versions: new Map(),
    touched: new Map(),
    stored: 0,
  },
  committed: new Set(),
});

/** What was exported stays as it is: whoever could add to it could not tell any more what came from where. */
const mayWrite = (db: Connection, file: string, suspicious: boolean): Result<null, Failure> => {
  const bundle = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'bundle'").get();
  if (bundle === undefined) return suspicious ? checkAfterCrash(db, file) : ok(null);
  const next = `domtrail log --db ${file}`;
  return err(failure('D_HOME_FOREIGN', `${file} is an exported bundle, for reading only`, { next }));
};

/** Opens the ledger in `file`. Mode `read` changes nothing, not even beside the file where SQLite can help it. */
export const openLedger = (
  file: string,
  mode: Mode,
  projections: readonly Projection[] = [],
): Result<Ledger, Failure> =>
  guarded(file, () => {
    const suspicious = mode === 'write' && leftALog(file);
    const connection = openConnection(file, mode);
    if (!connection.ok) return connection;
    const db = connection.value;
    try {
      const sound = mode === 'read' ? ok(null) : mayWrite(db, file, suspicious);
      if (sound.ok) return ok(ledgerOn(db, file, mode, projections));
      db.close();
      return sound;
    } catch (error) {
      db.close();
      // SQLITE_ERROR on statements of ours: a table or column is not there.
      if (error instanceof SQLite.SqliteError && error.code === 'SQLITE_ERROR')
        return err(failure('D_HOME_UNREADABLE', `${file}: ${error.message}`));
      throw error;
    }
  });

/** Lets SQLite renew its statistics; they are worth no waiting, and no failure. */
const optimize = (db: Connection): void => {
  try {
    db.pragma('busy_timeout = 0');
    db.pragma('optimize');
  } catch (error) {
    if (!sqliteFailure(error, db.name)) throw error;
  }
};

export const closeLedger = ({ db, mode }: Ledger): void => {
  if (!db.open) return;
  if (mode !== 'read') optimize(db);
  db.close();
};
