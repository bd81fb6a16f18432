import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Connection } from './connection.ts';
import { sizeOf } from './file-header.ts';
import { processLives } from './process-identity.ts';

/** Checking a larger file would be felt at every start after a crash; `verify` does it then. */
const LARGEST_CHECKED = 64 * 2 ** 20;

/** Asked before SQLite opens the file, because opening recovers the log and may empty it. */
export const leftALog = (file: string): boolean => (sizeOf(`${file}-wal`) ?? 0) > 0;

type Holder = { readonly pid: number | null; readonly startTime: string; readonly bootId: string };

/** The last writer neither closed the ledger nor lives: it was killed, or the power went. */
const diedWriting = (db: Connection): boolean => {
  const holder = db.prepare('SELECT pid, start_time AS startTime, boot_id AS bootId FROM lease').get() as
    | Holder
    | undefined;
  if (holder === undefined || holder.pid === null) return false;
  return !processLives({ ...holder, pid: holder.pid });
};

/** Looks through the structure of a ledger whose writer died, before anything more is written into it. */
export const checkAfterCrash = (db: Connection, file: string): Result<null, Failure> => {
  if ((sizeOf(file) ?? 0) > LARGEST_CHECKED || !diedWriting(db)) return ok(null);
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return ok(null);
  return err(
    failure('D_HOME_UNREADABLE', `${file} was damaged when its last writer died`, {
      cause: String(found),
      next: 'domtrail verify',
    }),
  );
};
