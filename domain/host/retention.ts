import type { PoolName } from '../names.ts';
import { volumesOf } from '../vm/vm.ts';
import { overRetention } from '../volume/swap.ts';
import type { Volume } from '../volume/volume.ts';
import type { Host } from './host.ts';

type Trash = Host['trash'] extends ReadonlyMap<unknown, infer T> ? T : never;

/** How long what was removed can still come back, in milliseconds: two days. */
const KEPT_FOR = 48 * 3_600_000;

/** Until when a disk in the trash waits, in epoch milliseconds; null: nobody could want it back. */
const waitsUntil = ({ why, time }: Trash): number | null => (why === 'removed' ? time + KEPT_FOR : null);

/** The moment a decision about the trash is made for, and the pools that need their room now. */
export type Moment = { readonly now: number; readonly scarce: ReadonlySet<PoolName>; readonly all: boolean };

/** Something that is kept beside the state in use, whether it may go, and why. Times in epoch milliseconds. */
export type Keeping = {
  readonly object: string;
  readonly is: 'trash' | 'revision';
  /** the disk of trash, the id of a revision */
  readonly id: string;
  readonly bytes: number;
  readonly since: number;
  readonly until: number | null;
  /** `gc`: the next gc erases it; `change`: the next change that keeps a revision retires it; `stays`: neither */
  readonly goes: 'gc' | 'change' | 'stays';
  readonly because: string;
};

/** How long trash that nothing brings back lies there before it is erased unasked, in milliseconds. */
const SETTLES = 3_600_000;

/**
 * From when on trash may be erased without anybody asking, in epoch milliseconds. Null, never: what somebody else had made
 * and an adoption put aside is for people to look at, and what an unfinished command has a hand on is that command's.
 */
const goesUnasked = (trash: Trash, held: ReadonlySet<string>): number | null => {
  if (trash.why === 'leftover' || held.has(trash.disk.id)) return null;
  return waitsUntil(trash) ?? trash.time + SETTLES;
};

const heldTrash = (host: Host): ReadonlySet<string> =>
  new Set(
    [...host.operations.values()].flatMap(({ holds, plan }) => [
      ...holds.flatMap(({ object }) => (object.startsWith('trash ') ? [object.slice('trash '.length)] : [])),
      ...[...plan.main, ...plan.cleanup].flatMap(({ deed }) =>
        'disk' in deed && 'id' in deed.disk ? [deed.disk.id] : [],
      ),
    ]),
  );

/** Trash that may be erased without anybody asking, the oldest first, and the epoch millisecond at which more of it may be. */
export type DueTrash = { readonly due: readonly Trash[]; readonly next: number | null };

/** What `serve` may erase by a moment. Never what is pinned, for that is in no trash. */
export const dueTrash = (host: Host, now: number): DueTrash => {
  const held = heldTrash(host);
  const due: Trash[] = [];
  let next: number | null = null;
  for (const trash of host.trash.values()) {
    const from = goesUnasked(trash, held);
    if (from === null) continue;
    if (from <= now) due.push(trash);
    else next = Math.min(next ?? from, from);
  }
  return { due: due.sort((a, b) => a.position - b.position), next };
};

const fateOf = (trash: Trash, { now, scarce, all }: Moment): Pick<Keeping, 'goes' | 'because'> => {
  const until = waitsUntil(trash);
  if (until === null) return { goes: 'gc', because: `nothing can bring it back (${trash.why})` };
  if (until <= now) return { goes: 'gc', because: 'it was removed more than 48 hours ago' };
  if (scarce.has(trash.place.pool))
    return { goes: 'gc', because: `it was removed, and pool ${trash.place.pool} needs room` };
  if (all) return { goes: 'gc', because: 'it was removed, and all of the trash is to go' };
  return { goes: 'stays', because: 'it was removed: undo or op restore can bring it back' };
};

/** Each disk in the trash, the oldest first. */
export const trashKept = (host: Host, moment: Moment): readonly Keeping[] =>
  [...host.trash.values()]
    .sort((a, b) => a.position - b.position)
    .map((trash) => ({
      object: trash.from,
      is: 'trash',
      id: trash.disk.id,
      bytes: trash.disk.bytes,
      since: trash.time,
      until: waitsUntil(trash),
      ...fateOf(trash, moment),
    }));

const keepingOf = (volume: Volume): readonly Keeping[] => {
  const { spec, revisions } = volume;
  // The next change keeps one more itself.
  const going = new Set(overRetention(volume, Math.max(0, spec.revisionsToKeep - 1)));
  const keeps = `revisions_to_keep is ${spec.revisionsToKeep}`;
  return revisions.map((revision) => ({
    object: spec.key,
    is: 'revision',
    id: revision.id,
    bytes: revision.disk.bytes,
    since: revision.at * 1000,
    until: null,
    goes: going.has(revision) ? 'change' : 'stays',
    because: revision.pinned ? 'it is pinned' : keeps,
  }));
};

/** Each revision, by volume, the oldest first. */
export const revisionsKept = (host: Host): readonly Keeping[] =>
  [...host.vms.values()].flatMap(volumesOf).flatMap(keepingOf);
