import type { Disk, DiskRef, Place } from './disk.ts';
import type { Fact } from './event.ts';
import type { TrashReason } from './host/events.ts';
import type { Deed, Plan, Step, Template } from './steps.ts';

type CleanupDraft = Omit<Step, 'n'>;

/** Collects the steps of a plan: main steps are numbered as they come, cleanup steps after the last of them. */
export type PlanBuilder = {
  /** Adds a main step and gives its number, for `{ madeBy: n }`. Steps of one `lane` run in order; it is the object's own unless given. */
  readonly main: (object: string, deed: Deed, lane?: string) => number;
  readonly fact: (fact: Template<Fact>) => void;
  readonly cleanup: (object: string, deed: Deed, then: readonly Template<Fact>[]) => void;
  /** A number for a trash or incoming name that no other disk of the volume ever had. */
  readonly freshPosition: () => number;
  /** How many steps and facts it has so far. */
  readonly size: () => number;
  readonly build: () => Plan;
};

/** The lane of a step: steps on one object run in order, steps that start or stop a domain are a barrier. */
const laneOf = (object: string, deed: Deed): string =>
  deed.do === 'startDomain' || deed.do === 'stopDomain' ? 'host' : object;

/** `position` is that of the decision's first event: names made from it are unique because positions are. */
export const planBuilder = (position: number): PlanBuilder => {
  const main: Step[] = [];
  const facts: Template<Fact>[] = [];
  const cleanup: CleanupDraft[] = [];
  let fresh = position;
  return {
    main: (object, deed, lane = laneOf(object, deed)) => {
      const n = main.length + 1;
      main.push({ n, lane, object, deed });
      return n;
    },
    fact: (fact) => facts.push(fact),
    cleanup: (object, deed, then) => cleanup.push({ lane: laneOf(object, deed), object, deed, then }),
    freshPosition: () => fresh++,
    size: () => main.length + facts.length + cleanup.length,
    build: () => ({
      main,
      facts,
      cleanup: cleanup.map((draft, index) => ({ n: main.length + index + 1, ...draft })),
    }),
  };
};

type Doomed = {
  readonly object: string;
  readonly ref: DiskRef;
  readonly disk: Disk | { readonly madeBy: number };
  readonly from: Place;
};

/** Takes a disk out of the live namespace with a main step and leaves it in the trash, from where it can come back. */
export const setAside = (builder: PlanBuilder, doomed: Doomed, why: TrashReason): Place => {
  const { object, ref, disk, from } = doomed;
  const place: Place = { ...from, role: { kind: 'trash', position: builder.freshPosition() } };
  builder.main(object, { do: 'move', disk: ref, from, to: place });
  builder.fact({ type: 'DiskTrashed', disk, place, from: object, why });
  return place;
};

/**
 * Takes a disk out of the live namespace with a main step and erases it in the cleanup: destroy last, and under another
 * name. The facts come with the plan's.
 */
export const throwAway = (builder: PlanBuilder, doomed: Doomed, why: TrashReason): void => {
  const place = setAside(builder, doomed, why);
  eraseLater(builder, doomed.object, doomed.disk, place);
};

/** Erases a disk that is in the trash by then. */
const eraseLater = (builder: PlanBuilder, object: string, disk: Doomed['disk'], place: Place): void => {
  const [ref, id] = 'id' in disk ? [{ id: disk.id }, disk.id] : [disk, { idOf: disk.madeBy }];
  builder.cleanup(object, { do: 'erase', disk: ref, at: place }, [{ type: 'DiskErased', disk: id, from: object }]);
};

/** Moves a disk to the trash and erases it, all of it in the cleanup; `then` holds from the move on. */
export const retireLater = (
  builder: PlanBuilder,
  doomed: Doomed & { readonly disk: Disk },
  why: TrashReason,
  then: readonly Template<Fact>[],
): void => {
  const { object, disk, from } = doomed;
  const place: Place = { ...from, role: { kind: 'trash', position: builder.freshPosition() } };
  const trashed: Template<Fact> = { type: 'DiskTrashed', disk, place, from: object, why };
  builder.cleanup(object, { do: 'move', disk: { id: disk.id }, from, to: place }, [...then, trashed]);
  eraseLater(builder, object, disk, place);
};
