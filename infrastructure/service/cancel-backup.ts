import { setTimeout as sleep } from 'node:timers/promises';
import { isArchive } from '../../domain/backup/archive.ts';
import type { Operation } from '../../domain/command/operation.ts';
import { canUndo } from '../../domain/command/undo.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { NO_FAULT } from '../fault.ts';
import { acquireLease, acquireLeaseWithin, releaseLease } from '../ledger/lease.ts';
import { readOutcome, type StoredOutcome } from '../ledger/outcomes.ts';
import { processLives, signalProcess, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { releaseImages } from '../runner/archive.ts';
import { waits } from '../runner/mend-pools.ts';
import { firstOpen } from '../runner/recover.ts';
import { runOperation, undoOperation } from '../runner/run.ts';
import { recoverHost } from './recover.ts';
import { handsFor, type Service } from './service.ts';

const CANCELLED = failure('D_INTERRUPTED', 'it was cancelled');

/** What became of a backup that nobody wants; `told`: its own process was told to end it. */
export type Cancelled = { readonly outcome: StoredOutcome | null; readonly told: boolean };

const open = (service: Service, command: string): Operation | null =>
  currentHost(service.ledger).operations.get(command) ?? null;

/** Ends what nobody works on any more: takes it back, or, where it has its name already, tidies up. */
const giveUp = async (service: Service, command: string): Promise<Result<null, Failure>> => {
  // Pools first, as before every change; a backup that waits for `resume` is left for us.
  const before = await recoverHost(service, { fault: NO_FAULT, failedToo: false, backupsToo: false, rewrites: false });
  if (!before.ok) return before;
  const operation = open(service, command);
  if (!operation) return ok(null);
  const [barred] = before.value.barred.values();
  if (barred && waits(operation, before.value.barred)) return err(barred);
  const from = firstOpen(operation);
  const noted = service.journal.record(command, [{ type: 'CommandResumed', owner: thisProcess(), from }]);
  if (!noted.ok) return noted;
  for (const { deed } of operation.plan.main) if (isArchive(deed)) await releaseImages(deed, service.pools);
  const hands = { ...handsFor(service, command, service.fault), stdin: 'gone' as const };
  const run = { command, journal: service.journal, hands, resumed: true };
  const ended = await (canUndo(operation) ? undoOperation(run, CANCELLED) : runOperation(run));
  if (!ended.ok) return ended;
  return ended.value.is === 'failed' ? err(ended.value.failure) : ok(null);
};

const PAUSE_MS = 50;

/** How long a process may take to stop what it does and to take back what stands. */
const PATIENCE_MS = 60_000;

/**
 * Tells the process to end its backup. While it writes, the lease is free; where it is not, its holder must be that backup
 * itself: a `recover` that works on it would not understand.
 */
const tell = (service: Service, { command, owner }: Operation): Result<boolean, Failure> => {
  const lease = acquireLease(service.ledger, thisProcess(), `cancel ${command}`.slice(0, 200));
  if (!lease.ok && (lease.error.code !== 'D_BUSY' || lease.error.holder !== command)) return ok(false);
  try {
    return signalProcess(owner, 'SIGTERM');
  } finally {
    if (lease.ok) releaseLease(service.ledger);
  }
};

/** Waits until the backup is over or its process gone; true when it was told to end. */
const waitFor = async (service: Service, command: string): Promise<Result<boolean, Failure>> => {
  let told = false;
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(PAUSE_MS)) {
    const operation = open(service, command);
    if (!operation || !processLives(operation.owner)) return ok(told);
    if (told) continue;
    const now = tell(service, operation);
    if (!now.ok) return now;
    told = now.value;
  }
  return err(failure('D_BUSY', `the process that writes cmd:${command} has not ended it yet`, { holder: command }));
};

/**
 * Ends a backup that is not over, so that neither a file of it nor a snapshot is left: its process does it, when it lives, or
 * we do. D_BUSY when the process does not come to it.
 */
export const cancelBackup = async (service: Service, command: string): Promise<Result<Cancelled, Failure>> => {
  const told = await waitFor(service, command);
  if (!told.ok) return told;
  if (open(service, command)) {
    const lease = await acquireLeaseWithin(service.ledger, thisProcess(), command, service.waitMs);
    if (!lease.ok) return lease;
    try {
      const given = await giveUp(service, command);
      if (!given.ok) return given;
      const published = service.publish();
      if (!published.ok) return published;
    } finally {
      releaseLease(service.ledger);
    }
  }
  return ok({ outcome: readOutcome(service.ledger, command) ?? null, told: told.value });
};
