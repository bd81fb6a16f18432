import { err, ok, type Result } from '../../../domain/result.ts';
import {
  activated,
  type Change,
  deactivated,
  KILL_POINTS,
  type KillPoint,
  made,
  relabelled,
  removed,
  renamed,
  resized,
  type Stages,
} from './change.ts';
import { type Chunks, NO_CHUNKS, type Piece, readText } from './content.ts';
import { chunksOf } from './kernel.ts';
import { discarded, filling, writing } from './rewrite.ts';
import {
  EXTENT,
  emptyState,
  type Lv,
  lvNamed,
  type ModelOptions,
  type PoolMode,
  type Refusal,
  type State,
} from './state.ts';
import { type Cell, surroundings } from './surroundings.ts';

export type Outcome = Result<null, Refusal>;

/** Names here are those of LVs, without the volume group. `by` is the command line that LVM's archive keeps. */
export type LvmModel = {
  /** Everything, as plain immutable data: keep it, compare it, send it through structuredClone. */
  readonly state: () => State;
  readonly find: (name: string) => Lv | undefined;
  readonly create: (name: string, bytes: number, more?: Labels) => Outcome;
  readonly snapshot: (origin: string, name: string, more?: Labels) => Outcome;
  readonly rename: (from: string, to: string, by?: string) => Outcome;
  readonly remove: (name: string, by?: string) => Outcome;
  readonly resize: (name: string, bytes: number, more?: { readonly shrink?: boolean; readonly by?: string }) => Outcome;
  readonly activate: (name: string, force?: boolean) => Outcome;
  readonly deactivate: (name: string) => Outcome;
  readonly relabel: (name: string, label: (lv: Lv) => Lv, by?: string) => Outcome;
  /** Replaces the whole content; killed half way it leaves half of it. */
  readonly fill: (name: string, content: Chunks) => Outcome;
  readonly discard: (name: string) => Outcome;
  /** What a VM writes: never killed, refused when the pool is full or the LV is not active. */
  readonly writeAt: (name: string, offset: number, text: string) => Outcome;
  /** Up to the end of the disk. Throws when there is no active LV of that name. */
  readonly readAt: (name: string, offset: number, length: number) => string;
  readonly contentOf: (name: string) => Chunks;
  /** Opens the device; what is opened follows renames. */
  readonly open: (name: string) => OpenDevice;
  /** The `nth` change from now (1: the next) is killed at that point; `fill` and refused changes count too. */
  readonly killAt: (point: KillPoint, nth?: number) => void;
  readonly disarm: () => void;
  /** Changes asked for so far, by whomever. */
  readonly changes: () => number;
  /** Tells the kernel that the waiting message counts; false where the ids leave no doubt to settle. */
  readonly setTransactionId: (from: number, to: number) => boolean;
  /** Takes the snapshot of the metadata, or gives it back; false where it is so already. */
  readonly holdMetadata: (hold: boolean) => boolean;
  readonly reboot: (options?: { readonly autoactivate?: boolean }) => void;
  /** The disk goes away or comes back. */
  readonly setVisible: (visible: boolean) => void;
  /** An error while the kernel wrote metadata, or running out of it, closes the pool; mending opens it again. */
  readonly setMode: (mode: PoolMode) => void;
  /** Takes so many percent of the pool's metadata, as many old snapshots do. */
  readonly fragment: (percent: number) => void;
  /** Writes of data fail from now on, or no longer. */
  readonly setBroken: (broken: boolean) => void;
  /** A power cut keeps half of LVM's description of the volume group; the one before it is still on the disk. */
  readonly tear: () => void;
  /** The last whole description counts again. */
  readonly restore: () => void;
  /** An independent copy; costs nothing, because the state is immutable. Nothing is armed in it. */
  readonly clone: () => LvmModel;
};

export type Labels = { readonly tags?: readonly string[]; readonly skip?: boolean; readonly by?: string };

type OpenDevice = {
  readonly readAt: (offset: number, length: number) => string;
  readonly writeAt: (offset: number, text: string) => Outcome;
  readonly close: () => void;
};

const extentsFor = (bytes: number): number => Math.ceil(bytes / EXTENT);

const reached = (stages: Stages, point: KillPoint): State | undefined => {
  const limit = KILL_POINTS.indexOf(point);
  return stages.findLast(({ at }) => KILL_POINTS.indexOf(at) <= limit)?.state;
};

const killPoint = (cell: Cell): KillPoint | null => {
  if (!cell.armed || --cell.armed.left > 0) return null;
  const { point } = cell.armed;
  cell.armed = null;
  return point;
};

const apply = (cell: Cell, change: Change): Outcome => {
  cell.changes++;
  const point = killPoint(cell);
  if (!cell.state.visible || cell.state.torn) return err({ is: 'unseen' });
  const stages = change(cell.state);
  if (point !== null) {
    if (stages.ok) cell.state = reached(stages.value, point) ?? cell.state;
    return err({ is: 'killed' });
  }
  if (!stages.ok) return stages;
  const last = stages.value.at(-1);
  cell.state = last?.state ?? cell.state;
  return last?.refused ? err(last.refused) : ok(null);
};

/** A VM's write is no change of LVM's: it is not counted and never killed. */
const write = (cell: Cell, name: string, piece: Piece): Outcome => {
  const stages = writing(name, piece)(cell.state);
  if (!stages.ok) return stages;
  cell.state = stages.value.at(-1)?.state ?? cell.state;
  return ok(null);
};

const activeLv = ({ state }: Cell, name: string): Lv => {
  const lv = lvNamed(state, name);
  if (!lv?.active) throw new Error(`${name} is not an active LV`);
  return lv;
};

const contentOf = (cell: Cell, name: string): Chunks => chunksOf(cell.state, activeLv(cell, name)) ?? NO_CHUNKS;

const readFrom = (cell: Cell, name: string, offset: number, length: number): string => {
  const end = activeLv(cell, name).extents * EXTENT;
  return readText(contentOf(cell, name), offset, Math.max(0, Math.min(length, end - offset)));
};

const opened = (cell: Cell, name: string): OpenDevice => {
  const { uuid } = activeLv(cell, name);
  const count = (by: number): void => {
    const lv = cell.state.lvs.get(uuid);
    // After a reboot nothing is open, whoever still holds a handle.
    if (lv)
      cell.state = {
        ...cell.state,
        lvs: new Map(cell.state.lvs).set(uuid, { ...lv, open: Math.max(0, lv.open + by) }),
      };
  };
  const nameNow = (): string => cell.state.lvs.get(uuid)?.name ?? name;
  count(1);
  return {
    readAt: (offset, length) => readFrom(cell, nameNow(), offset, length),
    writeAt: (offset, text) => write(cell, nameNow(), { offset, text }),
    close: () => count(-1),
  };
};

const creating = (
  cell: Cell,
  name: string,
  bytes: number,
  { tags = [], skip = false, by = 'lvcreate' }: Labels,
): Outcome => apply(cell, made({ name, extents: extentsFor(bytes), origin: null, tags, skip, by }));

const snapshotting = (
  cell: Cell,
  from: string,
  name: string,
  { tags = [], skip = false, by = 'lvcreate' }: Labels,
): Outcome =>
  apply(cell, (state) => {
    const origin = lvNamed(state, from);
    if (!origin) return err({ is: 'missing', name: from });
    return made({ name, extents: origin.extents, origin, tags, skip, by })(state);
  });

/** A model of that state. */
export const lvmModelOf = (state: State): LvmModel => {
  const cell: Cell = { state, armed: null, changes: 0 };
  return {
    state: () => cell.state,
    find: (name) => lvNamed(cell.state, name),
    create: (name, bytes, more = {}) => creating(cell, name, bytes, more),
    snapshot: (origin, name, more = {}) => snapshotting(cell, origin, name, more),
    rename: (from, to, by = 'lvrename') => apply(cell, renamed(from, to, by)),
    remove: (name, by = 'lvremove') => apply(cell, removed(name, by)),
    resize: (name, bytes, { shrink = false, by = 'lvresize' } = {}) =>
      apply(cell, resized({ name, extents: extentsFor(bytes), shrink, by })),
    activate: (name, force = false) => apply(cell, activated(name, force)),
    deactivate: (name) => apply(cell, deactivated(name)),
    relabel: (name, label, by = 'lvchange') => apply(cell, relabelled(name, label, by)),
    fill: (name, content) => apply(cell, filling(name, content)),
    discard: (name) => apply(cell, discarded(name)),
    writeAt: (name, offset, text) => write(cell, name, { offset, text }),
    readAt: (name, offset, length) => readFrom(cell, name, offset, length),
    contentOf: (name) => contentOf(cell, name),
    open: (name) => opened(cell, name),
    ...surroundings(cell),
    clone: () => lvmModelOf(cell.state),
  };
};

/** A fresh volume group with an empty thin pool: by default `qubes_dom0/vm-pool`, 500 MiB, chunks of 64 KiB. */
export const createLvmModel = (options: ModelOptions = {}): LvmModel => lvmModelOf(emptyState(options));
