import { isArchive } from '../../domain/backup/archive.ts';
import type { Evidence } from '../../domain/command/events.ts';
import { madeSoFar, type Operation } from '../../domain/command/operation.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Step } from '../../domain/steps.ts';
import type { Archiver } from '../backup/archiver.port.ts';
import { deliveries } from '../backup/deliver.ts';
import type { Job, Progress } from '../drivers/driver.port.ts';
import type { Fault } from '../fault.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.port.ts';
import { archive } from './archive.ts';
import {
  type Backup,
  bindDeed,
  type DomainDeed,
  isDomainDeed,
  isKeptDeed,
  type KeptDeed,
  poolOf,
} from './bind-deed.ts';
import { judge, judgeAfter, type Verdict } from './judge.ts';
import type { Keeper } from './keeper.port.ts';
import type { PoolHands, Pools } from './pools.ts';
import { done, failed, NOTHING_RAN, type StepDone, type StepFailed } from './step-event.ts';

type WriteFirewall = Extract<KeptDeed, { do: 'writeFirewall' }>;
type PublishFirewall = Extract<KeptDeed, { do: 'publishFirewall' }>;
type WriteKeys = Extract<KeptDeed, { do: 'writeKeys' }>;

export type Hands = {
  readonly pools: Pools;
  readonly hypervisor: Hypervisor;
  readonly firewallFiles: Keeper<WriteFirewall>;
  readonly firewallEntries: Keeper<PublishFirewall>;
  readonly keys: Keeper<WriteKeys>;
  readonly fault: Fault;
  readonly stdin: 'here' | 'gone';
  /** the backup that a restore reads from; no other command has one */
  readonly backup?: Backup;
  /** makes the backup of a command that was asked for one */
  readonly archiver?: Archiver;
  readonly progress: (step: Step) => Progress;
  /** Long copies out hold only their objects, not the ledger: other commands go on meanwhile. */
  readonly withoutLease: <T>(work: () => Promise<T>) => Promise<T>;
};

const moveDomain = async (step: Step, deed: DomainDeed, hands: Hands): Promise<Result<StepDone, StepFailed>> => {
  const { hypervisor } = hands;
  const acted = await (deed.do === 'startDomain' ? hypervisor.start(deed.vm) : hypervisor.stop(deed.vm, deed.how));
  hands.fault.reach('after-step');
  if (acted.failure) return err(failed(step, acted.failure, acted.evidence));
  return ok(done(step, { found: false, before: null, after: null, evidence: acted.evidence }));
};

const holding = <D>(keeper: Keeper<D>, deed: D) => ({
  look: () => keeper.look(deed),
  act: () => keeper.act(deed),
  digest: () => keeper.digest?.(deed) ?? null,
});

/** The keeper of a deed, with the deed already in its hands. */
const keeping = (deed: KeptDeed, hands: Hands) => {
  switch (deed.do) {
    case 'writeFirewall':
      return holding(hands.firewallFiles, deed);
    case 'publishFirewall':
      return holding(hands.firewallEntries, deed);
    case 'writeKeys':
      return holding(hands.keys, deed);
    case 'deliver':
      return holding(deliveries, deed);
  }
};

/** Observe, act, observe, for what is no disk. */
const keep = async (step: Step, deed: KeptDeed, hands: Hands): Promise<Result<StepDone, StepFailed>> => {
  const { look, act: carryOut, digest } = keeping(deed, hands);
  const before = await look();
  if (!before.ok) return err(failed(step, before.error, NOTHING_RAN));
  if (before.value === 'done') {
    hands.fault.reach('after-step');
    const found = done(step, { found: true, before: null, after: null, evidence: NOTHING_RAN });
    return ok({ ...found, before: digest(), after: digest() });
  }
  const was = digest();
  const { evidence, failure: known } = await carryOut();
  hands.fault.reach('after-step');
  const after = await look();
  if (after.ok && after.value === 'done') {
    return ok({ ...done(step, { found: false, before: null, after: null, evidence }), before: was, after: digest() });
  }
  const reason =
    known ?? (after.ok ? failure('D_STEP_FAILED', 'the step ran but its result is not there') : after.error);
  return err(failed(step, reason, evidence));
};

/** What an act that did not lead to the wanted state is reported as. */
const verdictFailure = (verdict: Verdict, known: Failure | null, evidence: Evidence): Failure => {
  if (known) return known;
  if (verdict.is === 'drift') return failure('D_DRIFT', verdict.message);
  return failure('D_STEP_FAILED', 'the step ran but its result is not there', { cause: evidence.stderr.slice(0, 500) });
};

type Bound = { readonly step: Step; readonly job: Job; readonly before: Verdict };

const act = async (
  { step, job, before }: Bound,
  hands: Hands,
  { driver, looks }: PoolHands,
): Promise<Result<StepDone, StepFailed>> => {
  if (before.is === 'spoiled') {
    const scrapped = await looks.during(() => driver.scrap(before.disk, job));
    if (scrapped.failure) return err(failed(step, scrapped.failure, scrapped.evidence));
  }
  const work = () => driver.act(job, hands.progress(step));
  const acted = await (job.deed.do === 'read' ? hands.withoutLease(work) : looks.during(work));
  hands.fault.reach('after-step');
  const look = await looks.now();
  if (!look.ok) return err(failed(step, look.error, acted.evidence));
  const after = judgeAfter(job, look.value, driver.nameOf, acted.failure !== null);
  if (after.is !== 'done')
    return err(failed(step, verdictFailure(after, acted.failure, acted.evidence), acted.evidence));
  const seenBefore = 'disk' in before ? before.disk : null;
  return ok(done(step, { found: false, before: seenBefore, after: after.disk, evidence: acted.evidence }));
};

/**
 * Observe, act, observe. Gives the event to record: done (also when it was already so), or failed with what is in the
 * way. Touches nothing when the world is neither as before nor as after the step.
 */
export const perform = async (
  operation: Operation,
  step: Step,
  hands: Hands,
): Promise<Result<StepDone, StepFailed>> => {
  hands.fault.reach('before-step');
  const { deed } = step;
  if (isDomainDeed(deed)) return moveDomain(step, deed, hands);
  if (isKeptDeed(deed)) return keep(step, deed, hands);
  if (isArchive(deed)) return archive(operation, step, deed, hands);
  const pool = hands.pools.get(poolOf(deed));
  if (!pool.ok) return err(failed(step, pool.error, NOTHING_RAN));
  const { driver, looks } = pool.value;
  const bound = await bindDeed(deed, {
    made: madeSoFar(operation),
    pools: hands.pools,
    stdin: hands.stdin,
    backup: hands.backup ?? null,
  });
  if (!bound.ok) return err(failed(step, bound.error, NOTHING_RAN));
  const job: Job = { command: operation.command, step: step.n, deed: bound.value };
  const look = await looks.now();
  if (!look.ok) return err(failed(step, look.error, NOTHING_RAN));
  const before = judge(job, look.value, driver.nameOf);
  switch (before.is) {
    case 'done':
      // The effect is there and its record is not: the same place as after acting.
      hands.fault.reach('after-step');
      return ok(done(step, { found: true, before: before.disk, after: before.disk, evidence: NOTHING_RAN }));
    case 'drift':
      return err(failed(step, failure('D_DRIFT', before.message), NOTHING_RAN));
    default:
      return act({ step, job, before }, hands, pool.value);
  }
};
