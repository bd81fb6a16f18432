import type { Written } from '../backup/archive.ts';
import type { Disk } from '../disk.ts';
import type { Code, Failure } from '../failure.ts';
import type { Plan, Step } from '../steps.ts';

/** The process that carries a command out; another boot, start time or a dead pid means that it is gone. */
export type Owner = { readonly pid: number; readonly startTime: string; readonly bootId: string };

/** An object (`VM` or `VM:VOLUME`) that a command keeps for itself until it is over; readers share. */
export type Hold = { readonly object: string; readonly mode: 'write' | 'read' };

/** What ran and what it said. `argv` is empty when nothing had to run. Times in milliseconds. */
export type Evidence = {
  readonly argv: readonly (readonly string[])[];
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly durationMs: number;
};

export type CommandEvent =
  /** `steps` 0: done with this. `digest` is the sha256 of the command's row, so the chain covers the command log too. */
  | {
      readonly type: 'CommandAccepted';
      readonly name: string;
      readonly digest: string;
      readonly plan: Plan;
      readonly holds: readonly Hold[];
      readonly owner: Owner;
    }
  | { readonly type: 'CommandRejected'; readonly name: string; readonly digest: string; readonly failure: Failure }
  | {
      readonly type: 'StepDone';
      readonly n: number;
      readonly object: string;
      readonly words: string;
      /** true: it was already so; a crash had eaten the record, not the work */
      readonly found: boolean;
      readonly disk: Disk | null;
      readonly before: string | null;
      readonly after: string | null;
      readonly evidence: Evidence;
      /** the files of a backup that the step wrote */
      readonly written?: readonly Written[];
    }
  | {
      readonly type: 'StepFailed';
      readonly n: number;
      readonly object: string;
      readonly words: string;
      readonly code: Code;
      readonly message: string;
      readonly evidence: Evidence;
    }
  /** the main steps all stand: what the command wanted is so, what remains is tidying */
  | { readonly type: 'CommandCompleted'; readonly leftover: readonly number[] }
  /** stopped at a step; the steps done so far stand until `recover` finishes or undoes them */
  | { readonly type: 'CommandFailed'; readonly failure: Failure; readonly standing: readonly number[] }
  | { readonly type: 'CommandResumed'; readonly owner: Owner; readonly from: number }
  | { readonly type: 'UndoPlanned'; readonly main: readonly Step[]; readonly cleanup: readonly Step[] }
  /** nothing of the command stands any more */
  | { readonly type: 'CommandAbandoned'; readonly failure: Failure };

export type StepEvent = Extract<CommandEvent, { type: 'StepDone' | 'StepFailed' }>;
