import { isArchive } from '../../domain/backup/archive.ts';
import { factsOfArchive } from '../../domain/backup/facts.ts';
import { madeSoFar, type Operation } from '../../domain/command/operation.ts';
import { canUndo, planUndo } from '../../domain/command/undo.ts';
import type { DomainEvent, Fact } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { bind, type Step } from '../../domain/steps.ts';
import { discardPart } from '../backup/deliver.ts';
import { deferred } from './defer.ts';
import type { Journal } from './journal.port.ts';
import { wavesOf } from './lanes.ts';
import { type Hands, perform } from './perform.ts';
import type { StepFailed } from './step-event.ts';
import { scrapUnrecorded } from './take-stock.ts';

/** How a run of an operation ended. `leftover`: cleanup steps that failed; `gc` takes care of their disks. */
export type Ended =
  | { readonly is: 'completed'; readonly leftover: readonly number[] }
  | { readonly is: 'abandoned'; readonly failure: Failure }
  | { readonly is: 'failed'; readonly failure: Failure };

/** `resumed`: another process worked on it before, and what its last step left may not be recorded. */
type Run = { readonly command: string; readonly journal: Journal; readonly hands: Hands; readonly resumed?: boolean };

const operationOf = ({ command, journal }: Run): Operation => {
  const operation = journal.host().operations.get(command);
  if (!operation) throw new Error(`command ${command} is not open`);
  return operation;
};

/** A ledger that cannot be written to ends the process's right to act: nothing may happen that is not recorded. */
class JournalFailed extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

const record = ({ command, journal }: Run, events: readonly DomainEvent[]): void => {
  const recorded = journal.record(command, events);
  if (!recorded.ok) throw new JournalFailed(recorded.error);
};

const whileRecorded = async <T>(work: () => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JournalFailed) return err(error.failure);
    throw error;
  }
};

const asFailure = ({ code, message, n, words }: StepFailed): Failure =>
  failure(code, message, { cause: `step ${n}: ${words}` });

/** What no plan can know: sizes and hashes of the files of a backup. */
const factsOfBackup = (run: Run, done: DomainEvent): readonly Fact[] => {
  const { plan, written } = operationOf(run);
  const files = (done.type === 'StepDone' ? done.written : undefined) ?? written ?? [];
  const deeds = plan.main.map(({ deed }) => deed).filter(isArchive);
  return deeds.flatMap((deed) => factsOfArchive(run.journal.host(), deed, files));
};

/** Facts of the whole plan hold from the moment the last main step is recorded, in the same transaction. */
const factsAfter = (run: Run, step: Step, done: DomainEvent): readonly Fact[] => {
  const operation = operationOf(run);
  const made = new Map(madeSoFar(operation));
  if (done.type === 'StepDone' && done.disk) made.set(step.n, done.disk);
  const own = (step.then ?? []).map((fact) => bind<Fact>(fact, made));
  if (operation.course.is === 'undoing') return own;
  const { main, facts } = operation.plan;
  const isMain = main.some(({ n }) => n === step.n);
  const complete = isMain && main.every(({ n }) => n === step.n || n in operation.done);
  return complete ? [...own, ...facts.map((fact) => bind<Fact>(fact, made)), ...factsOfBackup(run, done)] : own;
};

const runStep = async (run: Run, step: Step): Promise<Result<null, StepFailed>> => {
  const performed = await perform(operationOf(run), step, run.hands);
  if (!performed.ok) {
    record(run, [performed.error]);
    return performed;
  }
  record(run, [performed.value, ...factsAfter(run, step, performed.value)]);
  run.hands.fault.reach('after-record');
  return ok(null);
};

const runLane = async (run: Run, lane: readonly Step[]): Promise<StepFailed | null> => {
  for (const step of lane) {
    const ran = await runStep(run, step);
    if (!ran.ok) return ran.error;
  }
  return null;
};

/** Lanes side by side; what one of them throws is thrown when all have come to rest. */
const allLanes = async (run: Run, lanes: readonly (readonly Step[])[]): Promise<readonly (StepFailed | null)[]> => {
  const ended = await Promise.allSettled(lanes.map((lane) => runLane(run, lane)));
  const broken = ended.find((one) => one.status === 'rejected');
  if (broken) throw broken.reason;
  return ended.map((one) => (one.status === 'fulfilled' ? one.value : null));
};

/** Runs what is not recorded yet. A failed lane stops; its siblings run to their end; then nothing more starts. */
const runSteps = async (run: Run, steps: readonly Step[]): Promise<readonly StepFailed[]> => {
  const { done } = operationOf(run);
  const pending = steps.filter(({ n }) => !(n in done));
  for (const wave of wavesOf(pending, !run.hands.fault.armed)) {
    const failures = (await allLanes(run, wave)).filter((one) => one !== null);
    if (failures.length > 0) return failures;
  }
  return [];
};

/** Cleanup never decides about a command: what fails here, or is left for later, is in the trash, and `gc` knows it. */
const runCleanup = async (run: Run, steps: readonly Step[]): Promise<readonly number[]> => {
  const { done } = operationOf(run);
  const later = await deferred(operationOf(run).plan, steps, run.hands.pools);
  const pending = steps.filter(({ n }) => !(n in done) && !later.has(n));
  const broken = new Set<string>();
  for (const wave of wavesOf(pending, !run.hands.fault.armed)) {
    const lanes = wave.filter(([first]) => first && !broken.has(first.lane));
    const failures = await allLanes(run, lanes);
    for (const [index, failed] of failures.entries()) if (failed) broken.add(lanes[index]?.[0]?.lane ?? '');
  }
  const after = operationOf(run).done;
  return steps.filter(({ n }) => !(n in after)).map(({ n }) => n);
};

const settle = async (run: Run): Promise<void> => {
  const { plan } = operationOf(run);
  const pools = new Set<string>();
  for (const { deed } of [...plan.main, ...plan.cleanup]) {
    if (deed.do === 'create' || deed.do === 'snapshot') pools.add(deed.at.pool);
    if (isArchive(deed) && deed.to.kind === 'file') await discardPart({ path: deed.to.path, backup: deed.backup });
  }
  for (const name of pools) {
    const pool = run.hands.pools.get(name);
    if (pool.ok) await pool.value.driver.settle(run.command);
  }
};

const standing = (operation: Operation): readonly number[] => Object.keys(operation.done).map(Number);

/** Deeds that change nothing; what an archive wrote goes when it is settled. */
const LEAVES_NOTHING: ReadonlySet<string> = new Set(['activate', 'read', 'archive']);

/** Nothing of it stands: the world is as before, so the command is over. */
const leavesNothing = ({ plan, done }: Operation): boolean =>
  plan.main.every(({ n, deed }) => !(n in done) || LEAVES_NOTHING.has(deed.do));

const TOUCHES: ReadonlySet<string> = new Set([
  'move',
  'resize',
  'erase',
  'writeFirewall',
  'startDomain',
  'stopDomain',
  'deliver',
]);

/** So far the command only added disks of its own. */
const onlyMade = ({ plan, done }: Operation): boolean =>
  plan.main.every(({ n, deed }) => !(n in done) || !TOUCHES.has(deed.do));

const abandon = async (run: Run, reason: Failure): Promise<Ended> => {
  await settle(run);
  record(run, [{ type: 'CommandAbandoned', failure: reason }]);
  return { is: 'abandoned', failure: reason };
};

const stopFor = (run: Run, reason: Failure): Ended => {
  record(run, [{ type: 'CommandFailed', failure: reason, standing: standing(operationOf(run)) }]);
  return { is: 'failed', failure: reason };
};

const firstOf = ([first]: readonly StepFailed[]): Failure => {
  if (!first) throw new Error('a run cannot stop without a failure');
  return asFailure(first);
};

const forward = async (run: Run): Promise<Ended> => {
  const { plan } = operationOf(run);
  const failures = await runSteps(run, plan.main);
  if (failures.length > 0) return giveUp(run, failures);
  const leftover = await runCleanup(run, plan.cleanup);
  await settle(run);
  record(run, [{ type: 'CommandCompleted', leftover }]);
  return { is: 'completed', leftover };
};

const backward = async (run: Run, reason: Failure): Promise<Ended> => {
  const { course } = operationOf(run);
  if (course.is !== 'undoing') throw new Error(`command ${run.command} is not being undone`);
  const failures = await runSteps(run, course.undo.main);
  if (failures.length > 0) return stopFor(run, firstOf(failures));
  await runCleanup(run, course.undo.cleanup);
  return abandon(run, reason);
};

/** Plans the way back from what is recorded, after anything unrecorded is out of the way. */
const takeBack = async (run: Run, reason: Failure): Promise<Ended> => {
  const scrapped = await scrapUnrecorded(operationOf(run), run.hands);
  return scrapped.ok ? walkBack(run, reason) : stopFor(run, scrapped.error);
};

const walkBack = async (run: Run, reason: Failure): Promise<Ended> => {
  if (leavesNothing(operationOf(run))) return abandon(run, reason);
  record(run, [{ type: 'UndoPlanned', ...planUndo(operationOf(run)) }]);
  return backward(run, reason);
};

/** What failed before it touched anything that was there is taken back at once: nobody has to decide about it. */
const giveUp = async (run: Run, failures: readonly StepFailed[]): Promise<Ended> => {
  const reason = firstOf(failures);
  if (!onlyMade(operationOf(run))) return stopFor(run, reason);
  const nothingRan = !run.resumed && failures.every(({ evidence }) => evidence.argv.length === 0);
  return nothingRan ? walkBack(run, reason) : takeBack(run, reason);
};

/** Carries an open operation on from where its record ends: the same loop for the first run and for every recovery. */
export const runOperation = (run: Run): Promise<Result<Ended, Failure>> =>
  whileRecorded(async () => {
    const { course } = operationOf(run);
    return ok(course.is === 'undoing' ? await backward(run, course.failure ?? UNDONE) : await forward(run));
  });

const UNDONE: Failure = failure('D_UNDONE', 'the command could not go on and was undone');

/** Takes back what stands of an operation that cannot go on. Refuses once its main steps are all done. */
export const undoOperation = (run: Run, reason: Failure): Promise<Result<Ended, Failure>> =>
  whileRecorded(async () => {
    const operation = operationOf(run);
    if (operation.course.is === 'undoing') return ok(await backward(run, reason));
    if (!canUndo(operation)) {
      return err(failure('D_STUCK', `${operation.name} has nothing left to undo, only to tidy up`));
    }
    return ok(await takeBack(run, reason));
  });
