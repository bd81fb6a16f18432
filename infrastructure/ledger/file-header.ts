import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { APPLICATION_ID } from '../../migrations/migrations.ts';

/** Smallest page, and so smallest file, of SQLite (sqlite.org/fileformat2.html, 1.3). */
const SMALLEST = 512;
const MAGIC = 'SQLite format 3\0';

/** Size in bytes; null when there is no such file. Throws when it cannot be known. */
export const sizeOf = (file: string): number | null => {
  try {
    return statSync(file).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

/**
 * Files this process has had open through SQLite. Closing any other handle on such a file would drop SQLite's locks on it
 * (sqlite.org/howtocorrupt.html, 2.2), so they are never opened again but by SQLite.
 */
const OPENED = new Set<string>();

const identityOf = (file: string): string => {
  const { dev, ino } = statSync(file, { bigint: true });
  return `${dev}:${ino}`;
};

export const rememberOpened = (file: string): void => {
  OPENED.add(identityOf(file));
};

const readHeader = (file: string): Buffer | null => {
  if (OPENED.has(identityOf(file))) return null;
  const header = Buffer.alloc(100);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, header, 0, header.length, 0);
    return header;
  } finally {
    closeSync(handle);
  }
};

const unreadable = (message: string): Result<never, Failure> => err(failure('D_HOME_UNREADABLE', message));

/** What a crash in the middle of `init` leaves. */
export const unfinished = (file: string): Failure =>
  failure('D_HOME_UNREADABLE', `${file} was never finished`, { next: 'domtrail init' });

/**
 * Looks at a file before SQLite may touch it: merely opening another program's database can check-point its log, and
 * opening an empty file removes the log beside it. The application id of a ledger whose first transaction was never
 * check-pointed is still 0 here; then SQLite has to be asked.
 */
export const inspectFile = (file: string, mayBeEmpty: boolean): Result<null, Failure> => {
  const size = sizeOf(file) ?? 0;
  const wal = sizeOf(`${file}-wal`) ?? 0;
  if (size === 0 && mayBeEmpty && wal === 0) return ok(null);
  if (size === 0) return unreadable(`${file} is empty: it was cut off or never written`);
  if (size < SMALLEST) return unreadable(`${file} is cut off after ${size} bytes`);
  const header = readHeader(file);
  if (!header) return ok(null);
  if (header.toString('latin1', 0, 16) !== MAGIC) return unreadable(`${file} is not a SQLite database`);
  const application = header.readUInt32BE(68);
  const everHadTables = header.readUInt32BE(40) !== 0;
  if (application === 0 && !everHadTables && wal === 0 && !mayBeEmpty) return err(unfinished(file));
  const foreign = application !== APPLICATION_ID && (application !== 0 || (wal === 0 && !mayBeEmpty));
  return foreign ? err(failure('D_HOME_FOREIGN', `${file} is not a ledger of domtrail`)) : ok(null);
};
