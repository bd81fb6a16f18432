import type { Written } from '../backup/archive.ts';
import { stepsOf } from '../decision.ts';
import type { Disk } from '../disk.ts';
import type { DomainEvent, Recorded } from '../event.ts';
import type { Failure } from '../failure.ts';
import type { Plan, Step } from '../steps.ts';
import type { CommandEvent, Hold, Owner } from './events.ts';

/** The way back of a command that cannot go on: steps numbered after those of its plan. */
export type Undo = { readonly main: readonly Step[]; readonly cleanup: readonly Step[] };

/** How an unfinished command stands. */
type Course =
  | { readonly is: 'forward' }
  | { readonly is: 'failed'; readonly failure: Failure }
  | { readonly is: 'undoing'; readonly undo: Undo; readonly failure: Failure | null };

/** A command that was accepted and is not over. `done` holds the disk of each recorded step (null: the step has none). */
export type Operation = {
  readonly command: string;
  readonly name: string;
  readonly plan: Plan;
  readonly holds: readonly Hold[];
  readonly owner: Owner;
  readonly position: number;
  readonly done: Readonly<Record<number, Disk | null>>;
  readonly course: Course;
  /** what its step wrote, where it makes a backup */
  readonly written?: readonly Written[];
};

const COMMAND_EVENTS = new Set([
  'CommandAccepted',
  'CommandRejected',
  'StepDone',
  'StepFailed',
  'CommandCompleted',
  'CommandFailed',
  'CommandResumed',
  'UndoPlanned',
  'CommandAbandoned',
]);

export const isCommandEvent = (event: DomainEvent): event is CommandEvent => COMMAND_EVENTS.has(event.type);

const begin = (recorded: Recorded, event: Extract<CommandEvent, { type: 'CommandAccepted' }>): Operation | null => {
  if (stepsOf(event.plan).length === 0) return null;
  return {
    command: recorded.command,
    name: event.name,
    plan: event.plan,
    holds: event.holds,
    owner: event.owner,
    position: recorded.position,
    done: {},
    course: { is: 'forward' },
  };
};

/** The operation after an event of its command; null when it is over. */
export const evolveOperation = (operation: Operation | undefined, recorded: Recorded): Operation | null => {
  const event = recorded.event as CommandEvent;
  if (event.type === 'CommandAccepted') return begin(recorded, event);
  if (event.type === 'CommandRejected') return null;
  if (!operation)
    throw new Error(`event ${recorded.position} continues command ${recorded.command}, which is not open`);
  switch (event.type) {
    case 'StepDone':
      return {
        ...operation,
        done: { ...operation.done, [event.n]: event.disk },
        ...(event.written ? { written: event.written } : {}),
      };
    case 'StepFailed':
      return operation;
    case 'CommandFailed':
      return { ...operation, course: stopped(operation.course, event.failure) };
    case 'CommandResumed':
      return { ...operation, owner: event.owner, course: resumed(operation.course) };
    case 'UndoPlanned':
      return {
        ...operation,
        course: { is: 'undoing', undo: { main: event.main, cleanup: event.cleanup }, failure: null },
      };
    case 'CommandCompleted':
    case 'CommandAbandoned':
      return null;
  }
};

const stopped = (course: Course, failure: Failure): Course =>
  course.is === 'undoing' ? { ...course, failure } : { is: 'failed', failure };

const resumed = (course: Course): Course => (course.is === 'failed' ? { is: 'forward' } : course);

/** The disks made or touched so far, for `bind` and `resolve`. */
export const madeSoFar = (operation: Operation): ReadonlyMap<number, Disk> => {
  const made = new Map<number, Disk>();
  for (const [n, disk] of Object.entries(operation.done)) if (disk) made.set(Number(n), disk);
  return made;
};
