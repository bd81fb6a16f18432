import type { Owner, StepEvent } from '../../domain/command/events.ts';
import type { Operation } from '../../domain/command/operation.ts';
import { canUndo } from '../../domain/command/undo.ts';
import type { DomainEvent } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Journal } from './journal.port.ts';
import type { Hands } from './perform.ts';
import { type Ended, runOperation, undoOperation } from './run.ts';

/** What became of one unfinished command. `steps` are the step events this recovery recorded. */
export type Recovered = {
  readonly command: string;
  readonly name: string;
  /** number of the first step that was not recorded */
  readonly resumedFrom: number;
  readonly outcome: 'completed' | 'abandoned' | 'stuck' | 'busy';
  readonly failure: Failure | null;
  readonly steps: readonly StepEvent[];
  /** what else there is to say about it, line by line */
  readonly told?: readonly string[];
};

export type Recovery = {
  readonly journal: Journal;
  readonly hands: Hands;
  readonly owner: Owner;
  /** whether the process that owns an operation still lives */
  readonly lives: (owner: Owner) => boolean;
};

/** Number of the first step that is not recorded; 0 when all are. */
export const firstOpen = ({ plan, done }: Operation): number =>
  [...plan.main, ...plan.cleanup].find(({ n }) => !(n in done))?.n ?? 0;

/** Keeps the step events that pass through, for the report. */
const watching = (journal: Journal): { readonly journal: Journal; readonly steps: StepEvent[] } => {
  const steps: StepEvent[] = [];
  const keep = (event: DomainEvent): void => {
    if (event.type === 'StepDone' || event.type === 'StepFailed') steps.push(event);
  };
  const record: Journal['record'] = (command, events) => {
    const recorded = journal.record(command, events);
    if (recorded.ok) events.forEach(keep);
    return recorded;
  };
  return { journal: { host: journal.host, record }, steps };
};

const finishOrUndo = async (operation: Operation, journal: Journal, hands: Hands): Promise<Result<Ended, Failure>> => {
  const run = { command: operation.command, journal, hands, resumed: true };
  const ended = await runOperation(run);
  if (!ended.ok || ended.value.is !== 'failed') return ended;
  const now = journal.host().operations.get(operation.command);
  // An undo that failed is not undone again: what is in its way needs a person.
  if (!now || now.course.is === 'undoing' || !canUndo(now)) return ended;
  return undoOperation(run, ended.value.failure);
};

/**
 * Ends one unfinished command: finishes it by the runner, or, where it cannot go on, takes back what stands. A command
 * whose process lives is left alone.
 */
export const recoverOperation = async (
  operation: Operation,
  recovery: Recovery,
): Promise<Result<Recovered, Failure>> => {
  const { command, name } = operation;
  const resumedFrom = firstOpen(operation);
  const base = { command, name, resumedFrom };
  if (recovery.lives(operation.owner)) return ok({ ...base, outcome: 'busy', failure: null, steps: [] });
  const { journal, steps } = watching(recovery.journal);
  const resumed = journal.record(command, [{ type: 'CommandResumed', owner: recovery.owner, from: resumedFrom }]);
  if (!resumed.ok) return resumed;
  const ended = await finishOrUndo(operation, journal, { ...recovery.hands, stdin: 'gone' });
  if (!ended.ok) return ended;
  const outcome = ended.value.is === 'failed' ? 'stuck' : ended.value.is;
  return ok({ ...base, outcome, failure: 'failure' in ended.value ? ended.value.failure : null, steps });
};

/** Every unfinished command, oldest first. */
export const recoverAll = async (
  recovery: Recovery,
  only: (operation: Operation) => boolean,
): Promise<Result<readonly Recovered[], Failure>> => {
  const open = [...recovery.journal.host().operations.values()].filter(only).sort((a, b) => a.position - b.position);
  const recovered: Recovered[] = [];
  for (const operation of open) {
    const one = await recoverOperation(operation, recovery);
    if (!one.ok) return one;
    recovered.push(one.value);
  }
  return ok(recovered);
};
