import { type Code, type Failure, failure } from '../../domain/failure.ts';
import type { Ran } from '../process/run.ts';

/** The code of a failed system call (`ENOSPC`), null for anything else. */
export const errorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && 'errno' in error && typeof error.code === 'string' ? error.code : null;

/** Failed system calls that tell what is wrong with the disk, and what coreutils print for them when LC_ALL is C.UTF-8. */
const MEANINGS: readonly (readonly [calls: readonly string[], text: RegExp, code: Code])[] = [
  [['ENOSPC', 'EDQUOT'], /No space left on device|Disk quota exceeded/, 'D_DISK_FULL'],
  [['EROFS'], /Read-only file system/, 'D_POOL_READ_ONLY'],
  [['EIO'], /Input\/output error/, 'D_IO_ERROR'],
];

/** A failed system call as a value. Throws everything else on: that is a bug. */
export const failureOf = (error: unknown, message: string): Failure => {
  const code = errorCode(error);
  if (!code || !(error instanceof Error)) throw error;
  const known = MEANINGS.find(([calls]) => calls.includes(code))?.[2];
  return failure(known ?? 'D_STEP_FAILED', message, { cause: error.message });
};

/** The failure of a program that ended badly; null when it ended well. */
export const failureOfRun = ({ evidence }: Ran, message: string): Failure | null => {
  if (evidence.exitCode === 0) return null;
  const cause = evidence.stderr.trim().slice(0, 500);
  const known = MEANINGS.find(([, text]) => text.test(evidence.stderr))?.[2];
  return failure(known ?? 'D_STEP_FAILED', message, { cause });
};
