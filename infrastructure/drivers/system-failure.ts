import { type Failure, failure } from '../../domain/failure.ts';
import type { Ran } from '../process/run.ts';

/** The code of a failed system call (`ENOSPC`), null for anything else. */
export const errorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && 'errno' in error && typeof error.code === 'string' ? error.code : null;

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** What coreutils print for the two when LC_ALL is C.UTF-8. */
const FULL_TEXT = /No space left on device|Disk quota exceeded/;

/** A failed system call as a value. Throws everything else on: that is a bug. */
export const failureOf = (error: unknown, message: string): Failure => {
  const code = errorCode(error);
  if (!code || !(error instanceof Error)) throw error;
  return failure(FULL.has(code) ? 'D_DISK_FULL' : 'D_STEP_FAILED', message, { cause: error.message });
};

/** The failure of a program that ended badly; null when it ended well. */
export const failureOfRun = ({ evidence }: Ran, message: string): Failure | null => {
  if (evidence.exitCode === 0) return null;
  const cause = evidence.stderr.trim().slice(0, 500);
  return failure(FULL_TEXT.test(evidence.stderr) ? 'D_DISK_FULL' : 'D_STEP_FAILED', message, { cause });
};
