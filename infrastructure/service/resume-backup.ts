import { type Unwritten, unwritten } from '../../domain/backup/interrupted.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { acquireLeaseWithin, releaseLease } from '../ledger/lease.ts';
import { processLives, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { releaseImages } from '../runner/archive.ts';
import { firstOpen } from '../runner/recover.ts';
import { runOperation } from '../runner/run.ts';
import { handsFor, type Service } from './service.ts';
import { failureOf, finalOutcome, type Submitted } from './submit.ts';

/** The backups that are being written, or were when their process ended; the oldest first. */
export const unwrittenBackups = (host: Host): readonly Unwritten[] =>
  [...host.operations.values()].flatMap((operation) => unwritten(operation) ?? []);

/** Whether the process that writes it is gone: only then may anybody else touch it. */
export const isInterrupted = ({ operation }: Unwritten): boolean => !processLives(operation.owner);

const stillInterrupted = (service: Service, command: string): Result<Unwritten, Failure> => {
  const found = unwrittenBackups(currentHost(service.ledger)).find(({ operation }) => operation.command === command);
  if (!found) return err(failure('D_NOT_FOUND', `cmd:${command} is no interrupted backup any more`));
  if (isInterrupted(found)) return ok(found);
  return err(failure('D_BUSY', `cmd:${command} is being written by another process`, { holder: command }));
};

const resumed = async (service: Service, command: string): Promise<Result<Submitted, Failure>> => {
  const found = stillInterrupted(service, command);
  if (!found.ok) return found;
  const from = firstOpen(found.value.operation);
  const noted = service.journal.record(command, [{ type: 'CommandResumed', owner: thisProcess(), from }]);
  if (!noted.ok) return noted;
  await releaseImages(found.value.archive, service.pools);
  const hands = handsFor(service, command, service.fault);
  const ended = await runOperation({ command, journal: service.journal, hands, resumed: true });
  if (!ended.ok) return ended;
  const outcome = finalOutcome(service, command);
  return ok({
    id: command,
    repeated: false,
    outcome,
    failure: failureOf(outcome, ended.value),
    ended: ended.value,
    recovered: [],
  });
};

/**
 * Goes on with an interrupted backup, by the archiver of the service, to the end that it would have had. D_NOT_FOUND when it
 * was given up meanwhile, D_BUSY when somebody else goes on with it.
 */
export const resumeBackup = async (service: Service, command: string): Promise<Result<Submitted, Failure>> => {
  const lease = await acquireLeaseWithin(service.ledger, thisProcess(), command, service.waitMs);
  if (!lease.ok) return lease;
  try {
    const submitted = await resumed(service, command);
    const published = service.publish();
    if (submitted.ok && !published.ok && !submitted.value.failure) return err(published.error);
    return submitted;
  } finally {
    releaseLease(service.ledger);
  }
};
