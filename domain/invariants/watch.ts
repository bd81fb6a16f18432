import type { StepEvent } from '../command/events.ts';
import { isCommandEvent, madeSoFar, type Operation } from '../command/operation.ts';
import { stepsOf } from '../decision.ts';
import type { DiskId } from '../disk.ts';
import type { DomainEvent, Recorded } from '../event.ts';
import { emptyHost, evolve, type Host, volumeOf } from '../host/host.ts';
import type { VmName, VolumeKey } from '../names.ts';
import { type Deed, resolve, type Step } from '../steps.ts';
import { isVolumeFact } from '../volume/evolve.ts';
import { currentOf } from '../volume/volume.ts';
import type { Breach, Decided, Invariant, Lying, Stepped } from './invariant.ts';
import { checkResting } from './rest.ts';
import { lyingOf, type Shelf, shelfOf, shelveAnew, shelveStep, shelveWriting, takeOff } from './shelf.ts';

type Watched = {
  readonly host: Host;
  readonly shelf: Shelf;
  boot: string | null;
  /** VMs that changed and were not looked at since, each with the event that changed it last */
  readonly restless: Map<VmName, Recorded>;
  /** what is already known to be broken, by VM */
  readonly broken: Map<VmName, ReadonlySet<string>>;
  last: Recorded | null;
};

/** Follows a log event by event and tells which invariants each one breaks. */
export type Watch = {
  readonly host: Host;
  /** Folds one event in. A breach that shows only while a volume rests is told with the next event, or by `end`. */
  readonly follow: (recorded: Recorded) => readonly Breach[];
  readonly end: () => readonly Breach[];
};

/** Where the storage of a volume is looked up: by the recorded steps, unless somebody knows better. */
export type LyingOf = (volume: Parameters<typeof lyingOf>[1]) => readonly Lying[] | null;

const stepIn = ({ plan, course }: Operation, n: number): Step | undefined => {
  const planned = n <= plan.main.length ? plan.main[n - 1] : plan.cleanup[n - plan.main.length - 1];
  if (planned?.n === n) return planned;
  const undo = course.is === 'undoing' ? [...course.undo.main, ...course.undo.cleanup] : [];
  return [...stepsOf(plan), ...undo].find((step) => step.n === n);
};

const diskOfDeed = (deed: Deed, event: StepEvent, operation: Operation): DiskId | null => {
  if (event.type === 'StepDone' && event.disk) return event.disk.id;
  return 'disk' in deed ? resolve(deed.disk, madeSoFar(operation)) : null;
};

/** A recorded step with what its plan says about it; `disk` is the one it made or changed. */
export type Recording = Pick<Stepped, 'event' | 'deed' | 'operation' | 'disk'> & {
  readonly made: (n: number) => DiskId | null;
};

/** What the plan of a step's command says about it, in the state that the step met. Null for other events. */
export const recordingOf = (host: Host, { event, command }: Recorded): Recording | null => {
  if (event.type !== 'StepDone' && event.type !== 'StepFailed') return null;
  const operation = host.operations.get(command);
  const step = operation && stepIn(operation, event.n);
  if (!operation || !step) return null;
  const made = (n: number): DiskId | null => madeSoFar(operation).get(n)?.id ?? null;
  return { event, deed: step.deed, operation, disk: diskOfDeed(step.deed, event, operation), made };
};

const steppedIn = ({ host, shelf }: Watched, recorded: Recorded): Stepped | null => {
  const recording = recordingOf(host, recorded);
  return recording && { ...recording, host, shelf };
};

/** The VMs whose volumes an event may have brought to rest or changed. */
const stirredBy = (event: DomainEvent, operation: Operation | undefined): readonly VmName[] => {
  if (isVolumeFact(event)) return [event.volume.slice(0, event.volume.indexOf(':')) as VmName];
  switch (event.type) {
    case 'VmCreated':
    case 'VmStarted':
    case 'VmStopped':
      return [event.vm];
    case 'CommandCompleted':
    case 'CommandAbandoned':
      return (operation?.holds ?? []).flatMap(({ object, mode }) =>
        mode === 'write' ? [(object.split(':')[0] ?? object) as VmName] : [],
      );
    default:
      return [];
  }
};

const bootOf = (event: DomainEvent): string | null => {
  switch (event.type) {
    case 'HostRebooted':
    case 'VmStarted':
      return event.bootId;
    case 'CommandAccepted':
    case 'CommandResumed':
      return event.owner.bootId;
    default:
      return null;
  }
};

const settle = (watched: Watched, invariants: readonly Invariant[], lying: LyingOf): readonly Breach[] => {
  if (watched.restless.size === 0) return [];
  const breaches: Breach[] = [];
  for (const [name, recorded] of watched.restless) {
    const found = checkResting(watched.host, name, invariants, lying);
    if (found === 'held') continue;
    watched.restless.delete(name);
    const known = watched.broken.get(name);
    watched.broken.set(name, new Set(found.map(({ invariant, object }) => `${invariant} ${object}`)));
    for (const one of found) if (!known?.has(`${one.invariant} ${one.object}`)) breaches.push({ ...one, recorded });
  }
  return breaches;
};

const beforehand = (
  watched: Watched,
  recorded: Recorded,
  stepped: Stepped | null,
): ((one: Invariant) => string | null | undefined) => {
  const { event } = recorded;
  const { host, shelf, boot } = watched;
  if (event.type === 'CommandAccepted' || event.type === 'CommandRejected') {
    const decided: Decided = { event, host, boot };
    return ({ decision }) => decision?.(decided);
  }
  if (stepped) return ({ step }) => step?.(stepped);
  const before = isVolumeFact(event) ? volumeOf(host, event.volume) : undefined;
  const vm = before && host.vms.get(before.spec.key.slice(0, before.spec.key.indexOf(':')) as VmName);
  if (!before || !vm || !isVolumeFact(event)) return () => null;
  return ({ fact }) => fact?.({ fact: event, before, vm, host, shelf, boot });
};

const objectOf = ({ event, command }: Recorded): string => {
  if ('volume' in event) return event.volume;
  return 'object' in event ? event.object : `cmd:${command}`;
};

const CAME_OTHERWISE: ReadonlySet<string> = new Set(['DiskAdopted', 'VolumeReidentified', 'DisksAccepted']);

/** What steps leave on the shelf, and what came to the log without one. */
const keepShelf = ({ host, shelf }: Watched, recorded: Recorded, stepped: Stepped | null): void => {
  const { event } = recorded;
  if (stepped) shelveStep(shelf, stepped, recorded);
  else if (event.type === 'DiskLost') takeOff(shelf, event.disk);
  else if (CAME_OTHERWISE.has(event.type) && 'volume' in event) {
    const volume = volumeOf(host, event.volume as VolumeKey);
    if (volume) shelveAnew(shelf, volume);
  } else if (event.type === 'DirectOpened') {
    const volume = volumeOf(host, event.volume);
    const current = volume && currentOf(volume);
    if (current) shelveWriting(shelf, current.id, recorded);
  }
};

const followOne = (watched: Watched, recorded: Recorded, invariants: readonly Invariant[]): readonly Breach[] => {
  const { host } = watched;
  const { event } = recorded;
  const operation = isCommandEvent(event) ? host.operations.get(recorded.command) : undefined;
  const stepped = steppedIn(watched, recorded);
  const check = beforehand(watched, recorded, stepped);
  const breaches: Breach[] = [];
  for (const one of invariants) {
    const says = check(one);
    if (says) breaches.push({ invariant: one.name, object: objectOf(recorded), says, recorded });
  }
  evolve(host, recorded);
  keepShelf(watched, recorded, stepped);
  watched.boot = bootOf(event) ?? watched.boot;
  for (const name of stirredBy(event, operation)) watched.restless.set(name, recorded);
  watched.last = recorded;
  return breaches;
};

/** Settings change no disk: most of a long log is over in one look. */
const isHarmless = ({ event: { type } }: Recorded): boolean => type === 'PropertySet' || type === 'FeatureSet';

/**
 * A watch over a log. `host` is where it begins and is folded in place; `lying` tells better than the recorded steps
 * where the disks are.
 */
export const watchFrom = (invariants: readonly Invariant[], host: Host = emptyHost(), lying?: LyingOf): Watch => {
  const shelf = shelfOf(host);
  const watched: Watched = { host, shelf, boot: null, restless: new Map(), broken: new Map(), last: null };
  const lies: LyingOf = lying ?? ((volume) => lyingOf(shelf, volume));
  const resting = invariants.filter(({ rest }) => rest);
  return {
    host,
    follow: (recorded) => {
      // What one command records at once stands together: only between commands does anything rest.
      const settled = recorded.command === watched.last?.command ? [] : settle(watched, resting, lies);
      if (isHarmless(recorded)) {
        evolve(host, recorded);
        watched.last = recorded;
        return settled;
      }
      return [...settled, ...followOne(watched, recorded, invariants)];
    },
    end: () => settle(watched, resting, lies),
  };
};
