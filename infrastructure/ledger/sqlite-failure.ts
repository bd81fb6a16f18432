import { type Failure, failure } from '../../domain/failure.ts';
import { err, type Result } from '../../domain/result.ts';

/** The log was damaged, cut or forged: nothing may be decided on it. `guarded` gives its failure. */
export class LogDamaged extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

/** An event that cannot be decoded, or cannot follow from those before it. */
export const unreadableEvent = (position: number, error: unknown): LogDamaged => {
  const cause = error instanceof Error ? error.message : String(error);
  return new LogDamaged(
    failure('D_VERIFY', `event ${position} cannot be read`, { cause, position, next: 'domtrail verify' }),
  );
};

/** Something that was derived from events is newer than the newest event. */
export const eventsCutOff = (head: number, seen: number): LogDamaged =>
  new LogDamaged(
    failure('D_VERIFY', `events ${head + 1} to ${seen} are gone from the log`, {
      position: head + 1,
      next: 'domtrail verify',
    }),
  );

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

type Refusal = (file: string, cause: string) => Failure;

const full: Refusal = (file, cause) =>
  failure('D_DISK_FULL', `the disk of ${file} is full; nothing was stored`, {
    cause,
    next: 'make room, then repeat the command',
  });
const busy: Refusal = (file, cause) => failure('D_BUSY', `${file} is being written to by another process`, { cause });
const refused: Refusal = (file, cause) =>
  failure('D_HOME_UNREADABLE', `${file} cannot be written to; nothing was stored`, {
    cause,
    next: 'see what is wrong with its file system (mount, dmesg), then repeat the command',
  });
const closed: Refusal = (file, cause) =>
  failure('D_HOME_UNREADABLE', `${file} cannot be opened`, {
    cause,
    next: 'see its permissions and its file system (ls -l, mount), then repeat the command',
  });
const damaged: Refusal = (file, cause) =>
  failure('D_HOME_UNREADABLE', `${file} is damaged or not a ledger`, {
    cause,
    next: 'keep the file; look with: domtrail verify --db COPY',
  });

/** By the beginning of the code; the first that fits. SQLite's extended codes, then those of the operating system. */
const REFUSALS: readonly (readonly [beginning: string, refusal: Refusal])[] = [
  ['SQLITE_FULL', full],
  // The write-ahead index is laid out before it is used: on a full disk this is what fails first.
  ['SQLITE_IOERR_SHMSIZE', full],
  ['SQLITE_BUSY', busy],
  ['SQLITE_LOCKED', busy],
  ['SQLITE_READONLY', refused],
  ['SQLITE_IOERR_WRITE', refused],
  ['SQLITE_IOERR_FSYNC', refused],
  ['SQLITE_IOERR_DIR_FSYNC', refused],
  ['SQLITE_IOERR_SHMOPEN', closed],
  ['SQLITE_CANTOPEN', closed],
  ['SQLITE_PERM', closed],
  ['SQLITE_AUTH', closed],
  ['SQLITE_NOTADB', damaged],
  ['SQLITE_CORRUPT', damaged],
  ['SQLITE_IOERR', damaged],
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EROFS', refused],
  ['EACCES', closed],
  ['EPERM', closed],
  ['ENOTDIR', closed],
  ['EISDIR', closed],
  ['ELOOP', closed],
  ['ENAMETOOLONG', closed],
  ['EMFILE', closed],
  ['ENFILE', closed],
  ['EIO', damaged],
];

/** Refusals of SQLite and of the file system that are not bugs of ours, as failures; null for everything else. */
export const sqliteFailure = (error: unknown, file: string): Failure | null => {
  if (error instanceof LogDamaged) return error.failure;
  const code = codeOf(error);
  if (!code) return null;
  const known = REFUSALS.find(([beginning]) => code.startsWith(beginning));
  return known ? known[1](file, `${code}: ${(error as Error).message}`) : null;
};

/** Runs something on the database; its refusals become failures, bugs stay exceptions. */
export const guarded = <T>(file: string, work: () => Result<T, Failure>): Result<T, Failure> => {
  try {
    return work();
  } catch (error) {
    const known = sqliteFailure(error, file);
    if (known) return err(known);
    throw error;
  }
};
