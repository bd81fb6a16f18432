import type { Owner } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Ledger, statement, writing } from './ledger.ts';
import { processLives } from './process-identity.ts';
import { guarded } from './sqlite-failure.ts';

type Row = {
  readonly token: number;
  readonly pid: number | null;
  readonly start_time: string | null;
  readonly boot_id: string | null;
  readonly command: string | null;
};

const readLease = (ledger: Ledger): Row =>
  statement(ledger, 'SELECT token, pid, start_time, boot_id, command FROM lease').get() as Row;

const holderOf = ({ pid, start_time, boot_id }: Row): Owner | null =>
  pid === null || start_time === null || boot_id === null ? null : { pid, startTime: start_time, bootId: boot_id };

const isUs = (a: Owner, b: Owner): boolean => a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId;

const busy = ({ pid, command }: Row): Failure =>
  failure('D_BUSY', `another domtrail (pid ${pid}) is working${command ? ` on cmd:${command}` : ''}`, {
    ...(command ? { holder: command } : {}),
    next: 'wait for it, or repeat with --wait SECONDS',
  });

const save = (ledger: Ledger, token: number, { pid, startTime, bootId }: Owner, command: string | null): void => {
  statement(ledger, 'UPDATE lease SET token = ?, pid = ?, start_time = ?, boot_id = ?, command = ?').run(
    token,
    pid,
    startTime,
    bootId,
    command,
  );
};

const take = (ledger: Ledger, owner: Owner, command: string | null): Result<number, Failure> => {
  const row = readLease(ledger);
  const holder = holderOf(row);
  const ours = holder !== null && isUs(holder, owner);
  if (holder && !ours && processLives(holder)) return err(busy(row));
  // Whoever holds it and asks again only says what it works on now.
  const token = ours && ledger.cache.token === row.token ? row.token : row.token + 1;
  save(ledger, token, owner, command);
  return ok(token);
};

/**
 * Makes this process the one writer. A holder that was killed or lived before a reboot is replaced; a living one is the
 * failure's `holder`. Whoever was replaced finds its token outdated at its next write (D_STALE_WRITER).
 */
export const acquireLease = (ledger: Ledger, owner: Owner, command: string | null): Result<number, Failure> =>
  guarded(ledger.file, () => {
    const taken = writing(ledger, () => take(ledger, owner, command));
    if (taken.ok) ledger.cache.token = taken.value;
    return taken;
  });

/** As whom `serve` holds the lease. It works for an instant and nobody asked for it, so whoever meets it waits a little. */
export const SERVE = 'serve';
const INSTANT_MS = 2000;

/** Tries again until `waitMs` have passed, for `serve` a little longer. */
export const acquireLeaseWithin = async (
  ledger: Ledger,
  owner: Owner,
  command: string | null,
  waitMs: number,
): Promise<Result<number, Failure>> => {
  const began = performance.now();
  for (;;) {
    const taken = acquireLease(ledger, owner, command);
    if (taken.ok || taken.error.code !== 'D_BUSY') return taken;
    const patience = taken.error.holder === SERVE ? Math.max(waitMs, INSTANT_MS) : waitMs;
    if (performance.now() - began >= patience) return taken;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** Gives the lease up if it is still ours. Where that cannot be written, it ends with this process. */
export const releaseLease = (ledger: Ledger): Result<null, Failure> =>
  guarded(ledger.file, () => {
    const { token } = ledger.cache;
    if (token === null) return ok(null);
    ledger.cache.token = null;
    statement(
      ledger,
      'UPDATE lease SET pid = NULL, start_time = NULL, boot_id = NULL, command = NULL WHERE token = ?',
    ).run(token);
    return ok(null);
  });

/** Asked inside every write transaction: a writer that was taken for dead, or that gave the lease up, must not go on. */
export const checkToken = (ledger: Ledger): Result<null, Failure> => {
  const { token } = ledger.cache;
  const row = readLease(ledger);
  if (token !== null && token === row.token) return ok(null);
  const message =
    token === null
      ? 'this process does not hold the ledger'
      : 'another process has taken over the ledger; this one may not write any more';
  return err(
    failure('D_STALE_WRITER', message, { ...(row.command ? { holder: row.command } : {}), next: 'domtrail recover' }),
  );
};
