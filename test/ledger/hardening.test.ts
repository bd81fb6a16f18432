import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import type { Mode } from '../../infrastructure/ledger/connection.ts';
import { closeLedger, openLedger } from '../../infrastructure/ledger/ledger.ts';
import { commandsUpTo } from '../../infrastructure/ledger/queries.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../migrations/migrations.ts';
import {
  child,
  codeOf,
  commanding,
  errorOf,
  fact,
  ledgerFile,
  must,
  open,
  temporaryDirectory,
  writable,
} from './fixture.ts';

const MODES: readonly Mode[] = ['create', 'write', 'read'];
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** A closed ledger with some events: a single file. */
const closedLedger = (facts = 300): string => {
  const ledger = writable();
  const many = Array.from({ length: facts }, (_, n) => fact(`p${n}`, 'x'.repeat(100)));
  must(accept(ledger, commanding('c1', many)));
  closeLedger(ledger);
  return ledger.file;
};

const database = (file: string, sql: string): string => {
  mkdirSync(dirname(file), { recursive: true });
  const db = new SQLite(file);
  db.exec(sql);
  db.close();
  return file;
};

describe('an open ledger', () => {
  test('has every setting that guards it, also after the first write', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1')));
    const pragma = (name: string) => ledger.db.pragma(name, { simple: true });
    expect(['application_id', 'user_version', 'journal_mode', 'synchronous'].map(pragma)).toEqual([
      APPLICATION_ID,
      MIGRATIONS.length,
      'wal',
      2,
    ]);
    expect(
      ['foreign_keys', 'busy_timeout', 'trusted_schema', 'cell_size_check', 'recursive_triggers'].map(pragma),
    ).toEqual([1, 5000, 0, 1, 1]);
    expect(['wal_autocheckpoint', 'journal_size_limit', 'temp_store'].map(pragma)).toEqual([1000, 67_108_864, 2]);
  });

  test('still waits for the disk after being opened again, where this build of SQLite would fall back to less', () => {
    const ledger = writable();
    const again = open(ledger.file, 'write');
    again.cache.token = ledger.cache.token;
    must(accept(again, commanding('c1')));
    expect(again.db.pragma('synchronous', { simple: true })).toBe(2);
  });

  test('can be read by nobody but its owner, whatever the umask says', () => {
    const before = process.umask(0);
    try {
      const ledger = writable();
      must(accept(ledger, commanding('c1')));
      expect(modeOf(dirname(ledger.file))).toBe('700');
      expect(['', '-wal', '-shm'].map((end) => modeOf(ledger.file + end))).toEqual(['600', '600', '600']);
      process.umask(0o777);
      expect(modeOf(dirname(writable().file))).toBe('700');
    } finally {
      process.umask(before);
    }
  });

  test('keeps the modes of directories that were there before it', () => {
    const directory = join(temporaryDirectory(), 'shared');
    mkdirSync(directory, { mode: 0o755 });
    writable(join(directory, 'deep', 'ledger.db'));
    expect([modeOf(directory), modeOf(join(directory, 'deep'))]).toEqual(['755', '700']);
  });

  test('is append-only: rows of the log can be neither changed, removed nor replaced', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1')));
    const tries = [
      "UPDATE events SET type = 'x'",
      'DELETE FROM events WHERE position = 2',
      'INSERT OR REPLACE INTO events SELECT * FROM events WHERE position = 1',
      'INSERT OR REPLACE INTO events SELECT 9, stream, version, type, schema_version, command, time, data, data_hash, prev_hash, hash FROM events WHERE position = 1',
      "UPDATE commands SET reason = 'x'",
      'DELETE FROM commands',
      'INSERT OR REPLACE INTO commands SELECT * FROM commands',
      'INSERT OR REPLACE INTO commands SELECT 2, id, name, schema_version, payload, payload_hash, actor, reason, context, received_at, position, digest FROM commands',
    ];
    for (const recursive of ['ON', 'OFF']) {
      ledger.db.pragma(`recursive_triggers = ${recursive}`);
      for (const sql of tries) expect(() => ledger.db.exec(sql), sql).toThrow('append-only');
    }
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('holds strict tables and valid JSON only', () => {
    const { db } = writable();
    const tables = db
      .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite%'")
      .all();
    expect(tables).toEqual([]);
    const zero = 'zeroblob(32)';
    const insert = (data: string) =>
      db.exec(`INSERT INTO events VALUES (1, 's', 1, 't', 1, 'c', 1, ${data}, ${zero}, ${zero}, ${zero})`);
    expect(() => insert("'{'")).toThrow('CHECK');
    expect(() =>
      db.exec(
        `INSERT INTO events VALUES (1, 'a' || char(10) || 'b', 1, 't', 1, 'c', 1, '{}', ${zero}, ${zero}, ${zero})`,
      ),
    ).toThrow('CHECK');
    expect(() => insert("x'00'")).toThrow('cannot store BLOB');
  });

  test('is left alone by create when it is there', () => {
    const file = closedLedger();
    const before = readFileSync(file);
    closeLedger(open(file, 'create'));
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('a file that is not a ledger of ours is refused with a code, and not changed', () => {
  const refuse = (make: () => string, code: string, modes = MODES) => {
    for (const mode of modes) {
      const file = make();
      const before = readFileSync(file);
      expect(codeOf(openLedger(file, mode)), mode).toBe(code);
      expect(readFileSync(file).equals(before)).toBe(true);
    }
  };

  test('a missing one, with the line to type', () => {
    for (const mode of ['write', 'read'] as const) {
      const file = ledgerFile();
      const { code, next } = errorOf(openLedger(file, mode));
      expect([code, next]).toEqual(['D_HOME_MISSING', `domtrail init --home ${dirname(file)}`]);
      expect(readdirSync(dirname(dirname(file)))).toEqual([]);
    }
  });

  test('an empty one', () => {
    refuse(() => database(ledgerFile(), ''), 'D_HOME_UNREADABLE', ['write', 'read']);
  });

  test('an empty one beside a log, even by create: SQLite would delete the log', () => {
    const make = () => {
      const file = database(ledgerFile(), '');
      writeFileSync(`${file}-wal`, 'what is left of a ledger');
      return file;
    };
    refuse(make, 'D_HOME_UNREADABLE');
    const file = make();
    openLedger(file, 'create');
    expect(readFileSync(`${file}-wal`, 'utf8')).toBe('what is left of a ledger');
  });

  test.each([1, 15, 16, 99, 100, 511, 512, 4096, 4097, 8192, 20_000])('a ledger cut off after %i bytes', (bytes) => {
    const make = () => {
      const file = closedLedger();
      const copy = join(temporaryDirectory(), 'ledger.db');
      copyFileSync(file, copy);
      truncateSync(copy, bytes);
      return copy;
    };
    refuse(make, 'D_HOME_UNREADABLE');
  });

  test('garbage', () => {
    refuse(() => {
      const file = join(temporaryDirectory(), 'ledger.db');
      writeFileSync(file, Buffer.alloc(10_000, 'not a database '));
      return file;
    }, 'D_HOME_UNREADABLE');
  });

  test('the database of another program, marked or not', () => {
    refuse(
      () => database(join(temporaryDirectory(), 'ledger.db'), 'PRAGMA application_id = 7; CREATE TABLE t (a)'),
      'D_HOME_FOREIGN',
    );
    refuse(() => database(join(temporaryDirectory(), 'ledger.db'), 'CREATE TABLE t (a)'), 'D_HOME_FOREIGN');
    refuse(
      () =>
        database(join(temporaryDirectory(), 'ledger.db'), 'PRAGMA user_version = 1; CREATE TABLE events (position)'),
      'D_HOME_FOREIGN',
    );
  });

  test('a ledger with a newer schema', () => {
    const make = () => {
      const file = closedLedger();
      return database(file, `PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    };
    refuse(make, 'D_HOME_NEWER');
  });

  test('a ledger without its tables', () => {
    refuse(() => database(closedLedger(), 'DROP TABLE events'), 'D_HOME_UNREADABLE');
  });

  test('a directory, and a link that leads nowhere', () => {
    const directory = temporaryDirectory();
    for (const mode of MODES) expect(codeOf(openLedger(directory, mode)), mode).toBe('D_HOME_UNREADABLE');
    symlinkSync(join(directory, 'nowhere'), join(directory, 'ledger.db'));
    expect(codeOf(openLedger(join(directory, 'ledger.db'), 'read'))).toBe('D_HOME_MISSING');
  });

  test('one whose making was cut off in the middle, until create finishes it', () => {
    const half = () => {
      const file = ledgerFile();
      return database(file, 'PRAGMA journal_mode = WAL');
    };
    for (const mode of ['write', 'read'] as const) {
      expect(errorOf(openLedger(half(), mode))).toMatchObject({ code: 'D_HOME_UNREADABLE', next: 'domtrail init' });
    }
    expect(codeOf(openLedger(half(), 'create'))).toBe('ok');
    const empty = ledgerFile();
    database(empty, '');
    expect(codeOf(openLedger(empty, 'create'))).toBe('ok');
  });
});

describe('reading', () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};

  test('a closed ledger leaves no file behind and changes none', () => {
    const file = closedLedger();
    const before = statSync(file).mtimeMs;
    const ledger = open(file, 'read');
    expect(commandsUpTo(ledger).map(({ id }) => id)).toEqual(['c1']);
    expect(() => ledger.db.exec('DELETE FROM entities')).toThrow('readonly');
    closeLedger(ledger);
    expect(readdirSync(dirname(file))).toEqual(['ledger.db']);
    expect(statSync(file).mtimeMs).toBe(before);
  });

  test('a ledger with a log beside it reads the log and does not check-point it', () => {
    const writing = writable();
    must(accept(writing, commanding('c1')));
    const copy = join(temporaryDirectory(), 'ledger.db');
    for (const end of ['', '-wal']) copyFileSync(writing.file + end, copy + end);
    const before = readFileSync(copy);
    const ledger = open(copy, 'read');
    expect(commandsUpTo(ledger).map(({ id }) => id)).toEqual(['c1']);
    closeLedger(ledger);
    expect(readFileSync(copy).equals(before)).toBe(true);
    expect(statSync(`${copy}-wal`).size).toBe(statSync(`${writing.file}-wal`).size);
  });

  /** A copy in a directory where the reader may not write. */
  const sealed = (names: readonly string[], from: string): string => {
    const directory = temporaryDirectory();
    const copy = join(directory, 'ledger.db');
    for (const end of names) {
      copyFileSync(from + end, copy + end);
      chmodSync(copy + end, 0o444);
    }
    chmodSync(directory, 0o555);
    return copy;
  };

  test('works where the reader may not write', async () => {
    const copy = sealed([''], closedLedger());
    const reader = child(['read', copy], nobody);
    expect(await reader.line()).toBe('head 301');
    expect((await reader.ended).stderr).toBe('');
    expect(readdirSync(dirname(copy))).toEqual(['ledger.db']);
  });

  test('says so where the log beside the file cannot be read without writing', async () => {
    const writing = writable();
    must(accept(writing, commanding('c1')));
    const reader = child(['read', sealed(['', '-wal'], writing.file)], nobody);
    expect(await reader.line()).toMatch(/^D_HOME_UNREADABLE copy the directory/);
  });

  test('and writing to a ledger of somebody else are refused with a code', async () => {
    const file = closedLedger();
    for (const task of ['read', 'write']) {
      const other = child([task, file, 'c2'], nobody);
      if (nobody.uid !== undefined) expect(await other.line()).toMatch(/^D_HOME_UNREADABLE/);
      await other.ended;
    }
    const copy = sealed([''], file);
    const writer = child(['write', copy, 'c2'], nobody);
    expect(await writer.line()).toMatch(/^D_HOME_UNREADABLE/);
  });
});
