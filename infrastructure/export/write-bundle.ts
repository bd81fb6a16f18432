import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import { type About, BUNDLE_SCHEMA } from '../ledger/beginning.ts';
import { GENESIS, sha256 } from '../ledger/hashes.ts';
import { closeLedger, type Head, type Ledger, openLedger, readHead, snapshot, statement } from '../ledger/ledger.ts';
import type { Projection } from '../ledger/projection.port.ts';
import { catchUp } from '../ledger/projections.ts';
import { guarded } from '../ledger/sqlite-failure.ts';
import { baseAt, entitiesOf, fillBase } from './base.ts';
import { commandFiller, eventFiller } from './fill.ts';
import { fillRedacted } from './fill-redacted.ts';
import { commandRows, eventRows } from './rows.ts';

/** `after` and `to`: the events after one position up to another. */
export type Wanted = {
  readonly after: number;
  readonly to: number;
  readonly redact: boolean;
  readonly projections: readonly Projection[];
};
type Exported = { readonly about: About; readonly commands: number; readonly events: number; readonly head: Head };

const hashAt = (ledger: Ledger, position: number): string => {
  if (position === 0) return GENESIS;
  return statement(ledger, 'SELECT lower(hex(hash)) FROM events WHERE position = ?').pluck().get(position) as string;
};

const aboutOf = (ledger: Ledger, { after, to, redact }: Wanted): About => ({
  format: 'domtrail/bundle/1',
  redacted: redact,
  after,
  to,
  ledger: redact ? null : hashAt(ledger, 1),
  base: redact ? null : hashAt(ledger, after),
  head: hashAt(ledger, to),
});

/** Rows in the middle of a log are none that may be added one by one, so the triggers come when all are there. */
const withoutTriggers = ({ db }: Ledger, work: () => void): void => {
  type Trigger = { readonly name: string; readonly sql: string };
  const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as Trigger[];
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  work();
  for (const { sql } of triggers) db.exec(sql);
};

/** As stored: the events, the commands they belong to, and for a range what came before it. */
const fillWhole = (from: Ledger, to: Ledger, { after, to: last }: Wanted): void => {
  const base = baseAt(from, after);
  const command = commandFiller(to.db);
  const event = eventFiller(to.db);
  for (const row of base.open) command(row);
  for (const row of commandRows(from, last)) if (row.position > after) command(row);
  for (const stored of eventRows(from, after, last)) event(stored);
  if (after > 0) fillBase(to.db, entitiesOf(base.host), base);
};

const fill = (from: Ledger, to: Ledger, wanted: Wanted): About => {
  const about = aboutOf(from, wanted);
  const text = canonicalJson(about);
  // What a redacted bundle says about itself is bound by its chain; the other's chain goes on from the original's.
  const begins = wanted.redact ? sha256(`${about.format}\n${text}\n`) : (about.base ?? GENESIS);
  to.db.exec(BUNDLE_SCHEMA);
  to.db.prepare('INSERT INTO bundle (one, about, begins) VALUES (1, ?, unhex(?))').run(text, begins);
  if (wanted.redact) fillRedacted({ from, to, after: wanted.after, last: wanted.to, begins });
  else fillWhole(from, to, wanted);
  return about;
};

/** A new file that is thrown away when anything goes wrong: no rollback, no waiting for the disk before the end. */
const hurried = ({ db }: Ledger): void => {
  db.pragma('journal_mode = MEMORY');
  db.pragma('synchronous = OFF');
};

const written = (from: Ledger, file: string, wanted: Wanted): Result<Exported, Failure> => {
  const opened = openLedger(file, 'create', wanted.projections);
  if (!opened.ok) return opened;
  const to = opened.value;
  try {
    hurried(to);
    const about = to.db.transaction(() => {
      let found: About | null = null;
      withoutTriggers(to, () => {
        found = snapshot(from, () => fill(from, to, wanted));
      });
      return found as About | null;
    })();
    if (!about) throw new Error('nothing was exported');
    const derived = catchUp(to);
    if (!derived.ok) return derived;
    to.db.pragma('journal_mode = DELETE');
    const count = (table: string): number => to.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
    return ok({ about, commands: count('commands'), events: count('events'), head: readHead(to) });
  } finally {
    closeLedger(to);
  }
};

const flush = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

const exists = (path: string): Failure =>
  failure('D_EXISTS', `${path} exists; it was left alone`, { next: 'another -o FILE, or --force' });

/** The finished file under its name: over nothing, unless it may go over something. */
const publish = (temporary: string, path: string, force: boolean): Result<null, Failure> => {
  chmodSync(temporary, 0o600);
  flush(temporary);
  try {
    if (force) renameSync(temporary, path);
    else linkSync(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return err(exists(path));
    throw error;
  }
  flush(dirname(path));
  return ok(null);
};

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const leavings = (temporary: string): void => {
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${temporary}${end}`, { force: true });
};

/**
 * Writes a part of a ledger as a file that reads like a ledger: made beside `path` and put there when it is whole, mode 0600.
 * Errors: D_EXISTS, those of a ledger that cannot be read, and of a disk that cannot be written. Throws `LogDamaged` on events
 * that cannot be folded.
 */
export const writeBundle = (
  ledger: Ledger,
  path: string,
  wanted: Wanted,
  force: boolean,
): Result<Exported, Failure> => {
  const target = resolve(path);
  if (existsSync(target) && !force) return err(exists(path));
  const directory = dirname(target);
  if (!isDirectory(directory)) return err(failure('D_NOT_FOUND', `there is no directory ${directory}`));
  const temporary = `${target}~${process.pid}`;
  try {
    leavings(temporary);
    const done = guarded(path, () => written(ledger, temporary, wanted));
    if (!done.ok) return done;
    const named = publish(temporary, target, force);
    return named.ok ? done : named;
  } catch (error) {
    return err(failureOf(error, `${path} cannot be written`));
  } finally {
    leavings(temporary);
  }
};
