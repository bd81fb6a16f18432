import type { Owner } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Ledger, statement } from './ledger.ts';
import { processLives } from './process-identity.ts';
import { guarded } from './sqlite-failure.ts';

type Row = {
  readonly token: number;
  readonly pid: number | null;
  readonly start_time: string | null;
  readonly boot_id: string | null;
  readonly command: string | null;
};

const readLease = (ledger: Ledger): Row => statement(ledger, 'SELECT token, pid, start_time, boot_id, command FROM lease').get() as Row;

const holderOf = ({ pid, start_time, boot_id }: Row): Owner | null =>
  pid === null || start_time === null || boot_id === null ? null : { pid, startTime: start_time, bootId: boot_id };

const isUs = (a: Owner, b: Owner): boolean => a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId;

const busy = ({ pid, command }: Row): Failure =>
  failure('D_BUSY', `another domtrail (pid ${pid}) is working${command ? ` on cmd:${command}` : ''}`, {
    ...(command ? { holder: command } : {}),
    next: 'wait for it, or repeat with --wait SECONDS',
  });

const take = (ledger: Ledger, owner: Owner, command: string | null): Result<number, Failure> => {
  const row = readLease(ledger);
  const holder = holderOf(row);
  if (holder && !isUs(holder, owner) && processLives(holder)) return err(busy(row));
  const token = row.token + 1;
  statement(ledger, 'UPDATE lease SET token = ?, pid = ?, start_time = ?, boot_id = ?, command = ?').run(
    token,
    owner.pid,
    owner.startTime,
    owner.bootId,
    command,
  );
  ledger.cache.token = token;
  return ok(token);
};

/**
 * Makes this process the one writer. A holder that was killed or lived before a reboot is replaced; a living one is the
 * failure's `holder`. Whoever was replaced finds its token outdated at its next write (D_STALE_WRITER).
 */
export const acquireLease = (ledger: Ledger, owner: Owner, command: string | null): Result<number, Failure> =>
  guarded(ledger.file, () => ledger.db.transaction(() => take(ledger, owner, command)).immediate());

/** Tries again until `waitMs` have passed. */
export const acquireLeaseWithin = async (ledger: Ledger, owner: Owner, command: string | null, waitMs: number): Promise<Result<number, Failure>> => {
  const end = performance.now() + waitMs;
  for (;;) {
    const taken = acquireLease(ledger, owner, command);
    if (taken.ok || taken.error.code !== 'D_BUSY' || performance.now() >= end) return taken;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

export const releaseLease = (ledger: Ledger): void => {
  const { token } = ledger.cache;
  if (token === null) return;
  ledger.cache.token = null;
  statement(ledger, 'UPDATE lease SET pid = NULL, start_time = NULL, boot_id = NULL, command = NULL WHERE token = ?').run(token);
};

/** Asked inside every write transaction: a writer that was taken for dead must not go on. */
export const checkToken = (ledger: Ledger): Result<null, Failure> => {
  const { token } = ledger.cache;
  if (token === readLease(ledger).token && token !== null) return ok(null);
  return err(failure('D_STALE_WRITER', 'another process has taken over the ledger; this one may not write any more', { next: 'domtrail recover' }));
};
