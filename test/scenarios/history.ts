import type { Command } from '../../domain/decide.ts';
import { decide } from '../../domain/decide.ts';
import type { Verdict } from '../../domain/decision.ts';
import { wordsOfDeed } from '../../domain/deed-words.ts';
import type { Place } from '../../domain/disk.ts';
import type { Fact } from '../../domain/event.ts';
import type { Deed, Plan, Step, Template } from '../../domain/steps.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import { OWNER, type Story } from '../domain/given.ts';

/** What another version did about one object: its steps, its facts, and what it tidied up. */
type Instead = {
  readonly main?: readonly Deed[];
  readonly facts?: readonly Template<Fact>[];
  readonly cleanup?: readonly Deed[];
  /** false: that version let nothing wait for its commands */
  readonly holds?: false;
};

type Draft = Omit<Step, 'n'>;

const aboutObject = (fact: Template<Fact>, object: string): boolean =>
  ('volume' in fact && fact.volume === object) || ('from' in fact && fact.from === object);

const renumbered = (value: unknown, numbers: ReadonlyMap<number, number>): unknown => {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => renumbered(item, numbers));
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'madeBy') return { madeBy: numbers.get(Number(only[1])) };
  return Object.fromEntries(entries.map(([key, item]) => [key, renumbered(item, numbers)]));
};

/**
 * Today's plan, but for one object what another version did: its steps come last. `first` is the number of the first of
 * them, for `{ madeBy: n }`.
 */
const planInstead = (plan: Plan, object: string, change: (first: number) => Instead): Plan => {
  const others = plan.main.filter((step) => step.object !== object);
  const numbers = new Map(others.map(({ n }, index) => [n, index + 1]));
  const { main = [], facts = [], cleanup = [] } = change(others.length + 1);
  const kept = renumbered(others, numbers) as readonly Draft[];
  const keptFacts = renumbered(
    plan.facts.filter((fact) => !aboutObject(fact, object)),
    numbers,
  ) as readonly Template<Fact>[];
  const draft = (deed: Deed): Draft => ({ lane: object, object, deed });
  const steps = [...kept, ...main.map(draft)];
  const tidying = [...plan.cleanup.filter((step) => step.object !== object), ...cleanup.map(draft)];
  return {
    main: steps.map((step, index) => ({ ...step, n: index + 1 })),
    facts: [...keptFacts, ...facts],
    cleanup: tidying.map((step, index) => ({ ...step, n: steps.length + index + 1 })),
  };
};

export type Recorded = { readonly id: string; readonly plan: Plan };

const verdictOf = (story: Story, command: Command): Verdict => {
  const decision = decide(story.host, command, story.context());
  if (!decision.ok) throw new Error(`${command.name}: ${decision.error.message}`);
  return decision.value;
};

/** Records that another version accepted a command, with its plan; no step of it is done. */
export const accepts = (
  story: Story,
  command: Command,
  object: string,
  change: (first: number) => Instead,
): Recorded => {
  story.now += 1000;
  const { plan: todays, holds } = verdictOf(story, command);
  const held = change(1).holds === false ? [] : holds;
  const plan = planInstead(todays, object, change);
  const id = `c${story.decided.length + 1}`;
  const context = story.context();
  story.decided.push({ id, command, context, position: context.position });
  story.record(id, [{ type: 'CommandAccepted', name: command.name, digest: id, plan, holds: held, owner: OWNER }]);
  return { id, plan };
};

/** Records a whole command as another version carried it out. */
export const didInstead = (
  story: Story,
  command: Command,
  object: string,
  change: (first: number) => Instead,
): Story => {
  const { id, plan } = accepts(story, command, object, change);
  story.carryOut(id, plan);
  return story;
};

/** Records that a step failed half way, after LVM had been at it. */
export const failsAt = (story: Story, id: string, { n, object, deed }: Step): true => {
  const evidence = { argv: [['blkdiscard', '-p', '1G']], exitCode: 5, stderr: 'in use', durationMs: 4000 };
  const words = wordsOfDeed(deed);
  const message = 'Logical volume in use.';
  story.record(id, [{ type: 'StepFailed', n, object, words, code: 'D_DEVICE_IN_USE', message, evidence }]);
  return true;
};

export const placeIn = (story: Story, key: string, role: Place['role']): Place => placeOf(story.volume(key), role);
