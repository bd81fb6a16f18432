import { err, ok, type Result } from '../../../domain/result.ts';
import { cutAt } from './content.ts';
import { chunksOf, closedPool, devicesAfter, flushed, isStray, settled, withChunks } from './kernel.ts';
import { EXTENT, type Lv, lvNamed, type Message, type Refusal, type State } from './state.ts';
import { lvmUuid } from './uuid.ts';

/**
 * Where a change can be cut off, in the order in which it passes them. Not every change has every stage; one that is cut
 * off at a stage it does not have is left at its last one before.
 * - before: nothing has happened · deactivated: a removal has taken the device away, LVM still lists the LV
 * - between: LVM's metadata says so, the kernel was not told · wedged: the kernel did it and does not know that it counts
 * - after: all done, nobody was told
 */
export const KILL_POINTS = ['before', 'deactivated', 'between', 'wedged', 'after'] as const;
export type KillPoint = (typeof KILL_POINTS)[number];

/** The states a change passes through. The last is the one it ends in, `refused` when that is half way. */
export type Stages = readonly { readonly at: KillPoint; readonly state: State; readonly refused?: Refusal }[];

export type Change = (state: State) => Result<Stages, Refusal>;

const only = (state: State): Result<Stages, Refusal> => ok([{ at: 'after', state }]);

const withLv = (state: State, lv: Lv): State => ({ ...state, lvs: new Map(state.lvs).set(lv.uuid, lv) });

const newest = <T>(kept: readonly T[], most: number): readonly T[] =>
  kept.length > most ? kept.slice(kept.length - most) : kept;

/** One metadata write: a new sequence number, and the state before it goes to the archive. */
const written = (before: State, after: State, description: string): State => ({
  ...after,
  seqno: before.seqno + 1,
  archive: newest([...after.archive, { seqno: before.seqno, description, time: before.clock }], after.archived),
  clock: before.clock + 1,
});

/** LVM takes the number after the highest it lists, so only the highest of the removed ones come back. */
const nextThinId = ({ lvs }: State): number => {
  let highest = 0;
  for (const { thinId } of lvs.values()) highest = Math.max(highest, thinId);
  return highest + 1;
};

/** A message in the metadata raises the pool's transaction id; the kernel's follows when it was sent. */
const queued = (state: State, message: Message): State => ({
  ...state,
  pool: { ...state.pool, transactionId: state.pool.transactionId + 1, messages: [...state.pool.messages, message] },
});

export type NewLv = {
  readonly name: string;
  readonly extents: number;
  readonly origin: Lv | null;
  readonly tags: readonly string[];
  /** with the activation skip flag the LV is made and left inactive */
  readonly skip: boolean;
  readonly by: string;
};

const listed = (state: State, { name, extents, origin, tags, skip }: NewLv): State => {
  const lv: Lv = {
    uuid: lvmUuid(state.seed, state.uuids),
    name,
    extents,
    thinId: nextThinId(state),
    transactionId: state.pool.transactionId,
    tags,
    originUuid: origin?.uuid ?? null,
    active: false,
    skip,
    open: 0,
    time: state.clock,
  };
  const withIt = { ...withLv(state, lv), uuids: state.uuids + 1 };
  return queued(withIt, { create: lv.thinId, origin: origin?.thinId ?? null });
};

/** Makes an LV: an empty one, or a snapshot of `origin`. */
export const made =
  (wanted: NewLv): Change =>
  (state) => {
    if (lvNamed(state, wanted.name)) return err({ is: 'exists', name: wanted.name });
    if (isStray(state)) return err({ is: 'stray', to: 'make' });
    const ready = flushed(state);
    if (!ready.ok) return ready;
    const closed = closedPool(ready.value);
    if (closed) return err(closed);
    const between = written(ready.value, listed(ready.value, wanted), wanted.by);
    const sent = devicesAfter(between);
    if (!sent.ok) return sent;
    const lv = lvNamed(between, wanted.name);
    if (!lv) throw new Error(`${wanted.name} was not listed`);
    const active = withLv(sent.value, { ...lv, active: !wanted.skip });
    return ok([
      { at: 'between', state: between },
      { at: 'wedged', state: sent.value },
      { at: 'after', state: settled({ ...active, pool: { ...active.pool, active: true } }) },
    ]);
  };

/** Children keep what they share; that they came from here is no longer shown (spec: lvm §4). */
export const removed =
  (name: string, by: string): Change =>
  (state) => {
    const lv = lvNamed(state, name);
    if (!lv) return err({ is: 'missing', name });
    if (lv.open > 0) return err({ is: 'in-use', name });
    const stray = isStray(state);
    const ready = stray ? ok(state) : flushed(state);
    if (!ready.ok) return ready;
    const deactivated = withLv(ready.value, { ...lv, active: false });
    const lvs = new Map(deactivated.lvs);
    lvs.delete(lv.uuid);
    const between = written(deactivated, queued({ ...deactivated, lvs }, { delete: lv.thinId }), by);
    // A closed pool takes no messages: LVM has dropped the LV by then, and sends the message with its next change.
    const { mode } = state.kernel;
    if (mode !== 'rw') return ok([{ at: 'between', state: between, refused: { is: 'unsent' } }]);
    if (stray) return ok([{ at: 'between', state: between, refused: { is: 'stray', to: 'send' } }]);
    const sent = devicesAfter(between);
    if (!sent.ok) return sent;
    return ok([
      { at: 'deactivated', state: deactivated },
      { at: 'between', state: between },
      { at: 'after', state: settled(sent.value) },
    ]);
  };

export const renamed =
  (from: string, to: string, by: string): Change =>
  (state) => {
    const lv = lvNamed(state, from);
    if (!lv) return err({ is: 'missing', name: from });
    if (lvNamed(state, to)) return err({ is: 'exists', name: to });
    return only(written(state, withLv(state, { ...lv, name: to }), by));
  };

export type NewSize = {
  readonly name: string;
  readonly extents: number;
  readonly shrink: boolean;
  readonly by: string;
};

export const resized =
  ({ name, extents, shrink, by }: NewSize): Change =>
  (state) => {
    const lv = lvNamed(state, name);
    if (!lv) return err({ is: 'missing', name });
    if (lv.extents === extents) return err({ is: 'same-size', extents });
    if (extents < lv.extents && !shrink) return err({ is: 'not-reduced', name });
    const chunks = chunksOf(state, lv);
    const cut = chunks && extents < lv.extents ? withChunks(state, lv, cutAt(chunks, extents * EXTENT)) : state;
    return only(written(state, withLv(cut, { ...lv, extents }), by));
  };

/** A volume, or the pool alone. Without `force` a skip-flagged LV stays inactive and LVM calls that success. */
export const activated =
  (name: string, force: boolean): Change =>
  (state) => {
    if (!state.pool.active && isStray(state)) return err({ is: 'stray', to: 'activate' });
    if (name === state.pool.name) return only({ ...state, pool: { ...state.pool, active: true } });
    const lv = lvNamed(state, name);
    if (!lv) return err({ is: 'missing', name });
    if (lv.active || (lv.skip && !force)) return only(state);
    if (!chunksOf(state, lv)) return err({ is: 'no-device', name });
    return only({ ...withLv(state, { ...lv, active: true }), pool: { ...state.pool, active: true } });
  };

export const deactivated =
  (name: string): Change =>
  (state) => {
    const lv = lvNamed(state, name);
    if (!lv) return err({ is: 'missing', name });
    return lv.open > 0 ? err({ is: 'in-use', name }) : only(withLv(state, { ...lv, active: false }));
  };

/** Tags and the skip flag: a metadata write each time, also when nothing is different afterwards. */
export const relabelled =
  (name: string, label: (lv: Lv) => Lv, by: string): Change =>
  (state) => {
    const lv = lvNamed(state, name);
    return lv ? only(written(state, withLv(state, label(lv)), by)) : err({ is: 'missing', name });
  };

/**
 * The host dies and comes back: nobody has anything open, and what has a device is active again unless activation at
 * boot is off. A phantom stays one, a message goes on waiting.
 */
export const rebooted = (state: State, autoactivating: boolean): State => {
  const autoactivate = autoactivating && !state.torn && !isStray(state);
  const lvs = new Map<string, Lv>();
  for (const lv of state.lvs.values()) {
    lvs.set(lv.uuid, { ...lv, open: 0, active: autoactivate && !lv.skip && chunksOf(state, lv) !== undefined });
  }
  return { ...state, lvs, pool: { ...state.pool, active: autoactivate } };
};
