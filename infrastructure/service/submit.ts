import { randomUUID } from 'node:crypto';
import { unwritten } from '../../domain/backup/interrupted.ts';
import type { Json } from '../../domain/canonical-json.ts';
import type { Operation } from '../../domain/command/operation.ts';
import { type Command, decide } from '../../domain/decide.ts';
import type { Context, Decision } from '../../domain/decision.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { NO_FAULT } from '../fault.ts';
import { type Actor, accept, type Envelope } from '../ledger/accept.ts';
import { acquireLeaseWithin, releaseLease } from '../ledger/lease.ts';
import { readOutcome, type StoredOutcome } from '../ledger/outcomes.ts';
import { bootId, processLives, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { waits } from '../runner/mend-pools.ts';
import { type Recovered, recoverOperation } from '../runner/recover.ts';
import { type Ended, runOperation } from '../runner/run.ts';
import { compareStorage, differencesIn } from './compare-storage.ts';
import { movedDisks, openDisks, unknownDisks } from './observe.ts';
import { type HostRecovered, recoverHost } from './recover.ts';
import { handsFor, type Service } from './service.ts';
import { timezoneOfHost } from './timezone.ts';
import { usageFor } from './usage.ts';
import { wantedFor } from './wanted.ts';
import { wayOn } from './way-on.ts';
import { witnessOf } from './witness.ts';

export type Submission = {
  readonly command: Command;
  readonly id: string | null;
  readonly reason: string | null;
  readonly actor: Actor;
};

/** How a command ended for whoever asked. `recovered`: what had to be put in order before it. */
export type Submitted = {
  readonly id: string;
  readonly repeated: boolean;
  readonly outcome: StoredOutcome;
  readonly failure: Failure | null;
  readonly ended: Ended | null;
  readonly recovered: readonly Recovered[];
};

type Seen = Omit<Context, 'position'>;

const observe = async (service: Service, command: Command): Promise<Result<Seen, Failure>> => {
  const open = await openDisks(currentHost(service.ledger), command, service.pools);
  if (!open.ok) return open;
  const base = { now: service.now(), bootId: bootId(), uuid: randomUUID(), open: open.value };
  if (command.name === 'StartVM') return ok({ ...base, timezone: timezoneOfHost() });
  if (command.name === 'RestoreOperation') return ok({ ...base, wanted: wantedFor(service, command.payload) });
  const host = currentHost(service.ledger);
  if (command.name === 'AdoptDrift' || command.name === 'RepairDrift') {
    return ok({ ...base, drift: differencesIn(await compareStorage(host, service.driverFor)) });
  }
  if (command.name === 'AdoptStorage') {
    const storage = await unknownDisks(host, command.payload, service.pools);
    return storage.ok ? ok({ ...base, storage: storage.value }) : storage;
  }
  if (command.name !== 'AdoptMoved') return ok(base);
  const storage = await movedDisks(host, command.payload, service.driverFor);
  return storage.ok ? ok({ ...base, storage: storage.value, witness: witnessOf(service.ledger) }) : storage;
};

const decideNow = (service: Service, command: Command, seen: Seen): Decision => {
  const host = currentHost(service.ledger);
  return decide(host, command, { ...seen, position: host.position + 1 });
};

/** Adds how full the pools are that the plan would write to; its steps then go on from the same look. */
const withUsage = async (service: Service, command: Command, seen: Seen): Promise<Seen> => {
  const decision = decideNow(service, command, seen);
  const usage = decision.ok ? await usageFor(decision.value.plan, service.pools) : null;
  return usage ? { ...seen, usage } : seen;
};

/** What a command would do now, without storing anything. */
export const planOnly = async (service: Service, command: Command): Promise<Decision> => {
  const seen = await observe(service, command);
  return seen.ok ? decideNow(service, command, await withUsage(service, command, seen.value)) : seen;
};

const envelopeOf = ({ command, id, reason, actor }: Submission, seen: Seen, fresh: string): Envelope => ({
  id: id ?? fresh,
  name: command.name,
  schemaVersion: 1,
  payload: command.payload as Json,
  actor,
  reason,
  context: { ...seen },
  receivedAt: seen.now,
  owner: thisProcess(),
});

export const finalOutcome = (service: Service, id: string): StoredOutcome => {
  const outcome = readOutcome(service.ledger, id);
  if (!outcome) throw new Error(`command ${id} has no outcome`);
  return outcome;
};

const run = async (service: Service, id: string): Promise<Result<Ended | null, Failure>> => {
  if (!currentHost(service.ledger).operations.has(id)) return ok(null);
  return runOperation({ command: id, journal: service.journal, hands: handsFor(service, id, service.fault) });
};

/** What became of a command for whoever asked; null: it is done. */
export const failureOf = (outcome: StoredOutcome, ended: Ended | null): Failure | null => {
  if (ended?.is === 'failed') {
    return {
      ...ended.failure,
      next: ended.failure.next ?? 'domtrail recover   (finishes it, or takes back what stands)',
    };
  }
  if (ended?.is === 'abandoned') {
    const next = ended.failure.next ?? wayOn(ended.failure.code);
    return next === undefined ? ended.failure : { ...ended.failure, next };
  }
  return outcome.outcome === 'rejected' || outcome.outcome === 'failed' || outcome.outcome === 'abandoned'
    ? outcome.failure
    : null;
};

/** One that stopped, or a backup that waits for somebody to go on with it: that has no right to keep others waiting. */
const mayBeEnded = (operation: Operation): boolean =>
  operation.course.is !== 'forward' || (unwritten(operation) !== null && !processLives(operation.owner));

/** An unfinished command that stands in the way and whose process is gone is ended first, then asked again. */
const clearTheWay = async (
  service: Service,
  command: Command,
  { seen, barred }: { readonly seen: Seen; readonly barred: HostRecovered['barred'] },
): Promise<Result<readonly Recovered[], Failure>> => {
  const decision = decideNow(service, command, seen);
  if (decision.ok || decision.error.code !== 'D_BUSY') return ok([]);
  const operation: Operation | undefined = currentHost(service.ledger).operations.get(decision.error.holder ?? '');
  if (!operation || !mayBeEnded(operation) || waits(operation, barred)) return ok([]);
  const hands = handsFor(service, operation.command, NO_FAULT);
  const recovery = { journal: service.journal, hands, owner: thisProcess(), lives: () => false };
  const one = await recoverOperation(operation, recovery);
  return one.ok ? ok([one.value]) : one;
};

/** The same key again while the first is not over: it is neither done nor to be done twice. */
const notOver = (service: Service, id: string): Failure | null => {
  const operation = currentHost(service.ledger).operations.get(id);
  if (!operation) return null;
  const waitsHere = unwritten(operation) !== null && !processLives(operation.owner);
  const next = waitsHere
    ? `domtrail backup resume ${id}   or   domtrail backup cancel ${id}`
    : `domtrail show cmd:${id}`;
  return failure('D_BUSY', `cmd:${id} has begun and is not over`, { holder: id, next });
};

const submitHolding = async (
  service: Service,
  submission: Submission,
  fresh: string,
): Promise<Result<Submitted, Failure>> => {
  const before = await recoverHost(service, { fault: NO_FAULT, failedToo: false, backupsToo: false, rewrites: false });
  if (!before.ok) return before;
  const observed = await observe(service, submission.command);
  if (!observed.ok) return observed;
  const cleared = await clearTheWay(service, submission.command, {
    seen: observed.value,
    barred: before.value.barred,
  });
  if (!cleared.ok) return cleared;
  const seen = await withUsage(service, submission.command, observed.value);
  const envelope = envelopeOf(submission, seen, fresh);
  const toDecide = {
    envelope,
    decide: (host: Parameters<typeof decide>[0], position: number) =>
      decide(host, submission.command, { ...seen, position }),
  };
  const accepted = accept(service.ledger, toDecide, () => service.fault.reach('before-commit'));
  if (!accepted.ok) return accepted;
  const repeated = accepted.value.is === 'repeated';
  const ended = accepted.value.is === 'accepted' ? await run(service, envelope.id) : ok(null);
  if (!ended.ok) return ended;
  const outcome = finalOutcome(service, envelope.id);
  const unfinished = repeated ? notOver(service, envelope.id) : null;
  if (unfinished) return err(unfinished);
  const recovered = [...before.value.recovered, ...cleared.value];
  return ok({
    id: envelope.id,
    repeated,
    outcome,
    failure: failureOf(outcome, ended.value),
    ended: ended.value,
    recovered,
  });
};

/**
 * A command from asking to done: the lease, recovery of what is unfinished, the decision with everything it needs, its
 * steps, and the files that follow. A rejection is a stored outcome with its failure; an error means nothing was stored,
 * or that the rest waits for `recover`.
 */
export const submit = async (service: Service, submission: Submission): Promise<Result<Submitted, Failure>> => {
  const fresh = submission.id ?? randomUUID();
  const lease = await acquireLeaseWithin(service.ledger, thisProcess(), fresh, service.waitMs);
  if (!lease.ok) return lease;
  try {
    const submitted = await submitHolding(service, submission, fresh);
    const published = service.publish();
    if (submitted.ok && !published.ok && !submitted.value.failure) return err(published.error);
    return submitted;
  } finally {
    releaseLease(service.ledger);
  }
};

/**
 * Takes back what stands of a command that failed, at once instead of at the next `recover`: for commands that leave all or
 * nothing. Does nothing when the command is over.
 */
export const takeBack = async (service: Service, id: string): Promise<Result<Recovered | null, Failure>> => {
  const lease = await acquireLeaseWithin(service.ledger, thisProcess(), id, service.waitMs);
  if (!lease.ok) return lease;
  try {
    const operation = currentHost(service.ledger).operations.get(id);
    if (!operation) return ok(null);
    const hands = handsFor(service, id, service.fault);
    return await recoverOperation(operation, {
      journal: service.journal,
      hands,
      owner: thisProcess(),
      lives: () => false,
    });
  } finally {
    releaseLease(service.ledger);
  }
};

export const stuck = (recovered: readonly Recovered[]): Failure | null => {
  const one = recovered.find(({ outcome }) => outcome === 'stuck');
  return one
    ? failure('D_STUCK', `${one.name} (cmd:${one.command}) can neither be finished nor undone`, {
        cause: one.failure?.message ?? '',
      })
    : null;
};
