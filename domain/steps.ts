import type { Archive, Deliver } from './backup/archive.ts';
import type { Disk, DiskId, DiskRef, Place } from './disk.ts';
import type { Fact } from './event.ts';
import type { Entry } from './firewall/entries.ts';
import type { RuleLine } from './firewall/rule.ts';
import type { VmName } from './names.ts';
import type { KeyChange } from './qubesdb/key-change.ts';

/** Where the bytes of a fill come from. `stamp` tells a changed file from the one the plan was made for. */
export type ContentSource =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number; readonly stamp: string }
  | { readonly kind: 'stdin' }
  /** `file` as the backup names it: `vm1/private.img`. Only the command that opened the backup can read it. */
  | {
      readonly kind: 'backup';
      readonly backup: string;
      readonly file: string;
      readonly bytes: number;
      /** bytes of it that are no hole */
      readonly data: number;
    }
  | { readonly kind: 'disk'; readonly disk: DiskRef; readonly at: Place };

export type ContentTarget = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' };

/** The words in which the outside world is asked for something. Each is safe to repeat. */
export type Deed =
  | { readonly do: 'create'; readonly at: Place; readonly bytes: number }
  | { readonly do: 'snapshot'; readonly of: DiskRef; readonly from: Place; readonly at: Place }
  | { readonly do: 'move'; readonly disk: DiskRef; readonly from: Place; readonly to: Place }
  | {
      readonly do: 'resize';
      readonly disk: DiskRef;
      readonly at: Place;
      readonly bytes: number;
      readonly shrink: boolean;
    }
  | { readonly do: 'activate'; readonly disk: DiskRef; readonly at: Place }
  | { readonly do: 'fill'; readonly disk: DiskRef; readonly at: Place; readonly from: ContentSource }
  | { readonly do: 'read'; readonly disk: DiskRef; readonly at: Place; readonly to: ContentTarget }
  | { readonly do: 'erase'; readonly disk: DiskRef; readonly at: Place }
  /**
   * Brings a VM's firewall.xml (`path` relative to the home) from one list of rules to another; null: no file. `over`: what
   * may be replaced, a file as we wrote it before (any other is drift, or is left as it is and no reason to stop), or
   * whatever lies there, which is then kept aside.
   */
  | {
      readonly do: 'writeFirewall';
      readonly vm: VmName;
      readonly path: string;
      readonly before: readonly RuleLine[] | null;
      readonly after: readonly RuleLine[] | null;
      readonly over: 'ours' | 'oursElseLeave' | 'anything';
    }
  /**
   * Brings what the QubesDB of a netvm holds for one address of a VM from one list to another; `before` null: whatever is
   * there. `wake` false: the lists do the same, so the agent need not read again.
   */
  | {
      readonly do: 'publishFirewall';
      readonly vm: VmName;
      readonly netvm: VmName;
      readonly address: string;
      readonly before: readonly Entry[] | null;
      readonly after: readonly Entry[];
      readonly wake: boolean;
    }
  /** Writes keys into a VM's QubesDB, in order; `fresh`: the VM has just started, and nothing older counts. */
  | { readonly do: 'writeKeys'; readonly vm: VmName; readonly fresh: boolean; readonly keys: readonly KeyChange[] }
  | Archive
  | Deliver
  | { readonly do: 'startDomain'; readonly vm: VmName }
  | { readonly do: 'stopDomain'; readonly vm: VmName; readonly how: 'shutdown' | 'kill' };

/**
 * One step of a plan. Steps of one `lane` run in order, lanes run side by side; a step of the lane `host` waits for
 * everything before it and everything after waits for it. `then` are the facts that hold once the step is done.
 */
export type Step = {
  readonly n: number;
  readonly lane: string;
  /** `VM:VOLUME` or `VM`: what the step is about, for people. */
  readonly object: string;
  readonly deed: Deed;
  readonly then?: readonly Template<Fact>[];
};

/**
 * A plan, complete when it is made. `main` must all be done; then `facts` hold, in the same transaction that records the
 * last of them. `cleanup` destroys what has left the live namespace: a failure there is reported and left to `gc`.
 * Numbers run through: main 1..m, cleanup m+1..n.
 */
export type Plan = {
  readonly main: readonly Step[];
  readonly facts: readonly Template<Fact>[];
  readonly cleanup: readonly Step[];
};

/** A value in which a disk that does not exist yet is written as `{ madeBy: n }`, and its id as `{ idOf: n }`. */
export type Template<T> = T extends Disk
  ? Disk | { readonly madeBy: number }
  : T extends DiskId
    ? T | { readonly idOf: number }
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends readonly (infer U)[]
        ? readonly Template<U>[]
        : { readonly [K in keyof T]: Template<T[K]> };

/** What a recorded step made or touched: the disk of steps that have one. */
export type Made = ReadonlyMap<number, Disk>;

const isMadeBy = (value: object): value is { readonly madeBy: number } =>
  'madeBy' in value && Object.keys(value).length === 1;

const isIdOf = (value: object): value is { readonly idOf: number } =>
  'idOf' in value && Object.keys(value).length === 1;

/** Replaces every `{ madeBy: n }` by the disk that step n made. Throws on a step that made none: a bug in a plan. */
export const bind = <T>(template: Template<T>, made: Made): T => {
  const disk = (step: number): Disk => {
    const found = made.get(step);
    if (!found) throw new Error(`plan refers to step ${step}, which made no disk`);
    return found;
  };
  const walk = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(walk);
    if (isMadeBy(value)) return disk(value.madeBy);
    if (isIdOf(value)) return disk(value.idOf).id;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]));
  };
  return walk(template) as T;
};

/** The id a reference stands for, or null while the step that makes it is not recorded. */
export const resolve = (ref: DiskRef, made: Made): DiskId | null =>
  'id' in ref ? ref.id : (made.get(ref.madeBy)?.id ?? null);
