import type { Witness } from './adoption/proof.ts';
import type { SeenPool } from './adoption/seen.ts';
import type { CommandEvent, Hold, Owner } from './command/events.ts';
import type { DiskDifference } from './drift/difference.ts';
import type { Fact } from './event.ts';
import type { Failure } from './failure.ts';
import type { Host } from './host/host.ts';
import type { SeenUsage } from './pool/usage.ts';
import type { Result } from './result.ts';
import type { Plan, Step, Template } from './steps.ts';
import type { WantedText } from './undo/wanted.ts';

/** What a command will do, complete: the plan, and the objects it holds until it is over . */
export type Verdict = {
  readonly plan: Plan;
  readonly holds: readonly Hold[];
  /** what a person should know who is shown the plan; not recorded */
  readonly remarks?: readonly string[];
};
export type Decision = Result<Verdict, Failure>;

/**
 * Everything a decision needs that is not in the state or the command. Recorded with the command, so that deciding
 * again gives the same events. `now` is epoch milliseconds; `position` that of the decision's first event.
 */
export type Context = {
  readonly now: number;
  readonly position: number;
  readonly bootId: string;
  readonly uuid: string;
  /** disks that somebody has open (only looked up for commands that need to know) */
  readonly open: readonly string[];
  /** the host's time zone, `Europe/Warsaw`; absent where a command does not tell anybody */
  readonly timezone?: string;
  /** the disks of the pools that the log does not know (only looked up for an adoption) */
  readonly storage?: readonly SeenPool[];
  /** what the log itself tells about the age of its disks (only looked up for the adoption of a moved home) */
  readonly witness?: Witness;
  /** where the pools differ from the log (only looked up for answers to that) */
  readonly drift?: readonly DiskDifference[];
  /** how full the pools are that the plan writes to (only looked up for plans that do) */
  readonly usage?: SeenUsage;
  /** what an earlier state had that this one has not (only looked up for a way back) */
  readonly wanted?: WantedText;
};

export type Decide<P> = (host: Host, payload: P, context: Context) => Decision;

export const stepsOf = (plan: Plan): readonly Step[] => [...plan.main, ...plan.cleanup];

/** Facts whose disks all exist already hold at once: nobody waits for a step. */
const settled = (facts: readonly Template<Fact>[]): readonly Fact[] => facts as readonly Fact[];

type Decided = { readonly name: string; readonly digest: string; readonly owner: Owner };

/** The events of a decision: what the log gets in the same transaction as the command. */
export const eventsOf = (decision: Decision, { name, digest, owner }: Decided): readonly (Fact | CommandEvent)[] => {
  if (!decision.ok) return [{ type: 'CommandRejected', name, digest, failure: decision.error }];
  const { plan, holds } = decision.value;
  const accepted: CommandEvent = { type: 'CommandAccepted', name, digest, plan, holds, owner };
  if (plan.main.length > 0) return [accepted];
  // Facts that wait for no step follow at once; the plan need not say them a second time.
  return [{ ...accepted, plan: { ...plan, facts: [] } }, ...settled(plan.facts)];
};
