import { type Failure, failure } from '../../domain/failure.ts';
import { err, type Result } from '../../domain/result.ts';

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_')
    ? error.code
    : null;

/** SQLite's refusals that are not bugs of ours, as failures; null for everything else. */
export const sqliteFailure = (error: unknown, file: string): Failure | null => {
  const code = codeOf(error);
  if (!code) return null;
  const cause = `${code}: ${(error as Error).message}`;
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE') {
    return failure('D_DISK_FULL', `the disk of ${file} is full; nothing was stored`, { cause, next: 'make room, then repeat the command' });
  }
  if (code.startsWith('SQLITE_BUSY')) return failure('D_BUSY', `${file} is being written to by another process`, { cause });
  if (code.startsWith('SQLITE_READONLY')) return failure('D_HOME_UNREADABLE', `${file} cannot be written to`, { cause });
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_PERM') || code.startsWith('SQLITE_AUTH')) {
    return failure('D_HOME_UNREADABLE', `${file} cannot be opened`, { cause });
  }
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_IOERR')) {
    return failure('D_HOME_UNREADABLE', `${file} is damaged or not a ledger`, { cause, next: 'keep the file; look with: domtrail verify --db COPY' });
  }
  return null;
};

/** Runs something on the database; SQLite's refusals become failures, bugs stay exceptions. */
export const guarded = <T>(file: string, work: () => Result<T, Failure>): Result<T, Failure> => {
  try {
    return work();
  } catch (error) {
    const known = sqliteFailure(error, file);
    if (known) return err(known);
    throw error;
  }
};
