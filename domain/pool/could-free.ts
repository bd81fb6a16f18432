import type { Host } from '../host/host.ts';
import type { PoolName } from '../names.ts';
import { volumesOf } from '../vm/vm.ts';
import type { Volume } from '../volume/volume.ts';

/**
 * Something that takes space in a pool and that nobody needs in order to go on. `bytes` is the disk's size, so the most
 * that can come back: what it shares with others stays. `next` frees it, or takes the first step towards that.
 */
export type CouldFree = {
  readonly object: string;
  readonly is: 'trash' | 'revision' | 'pinned';
  readonly bytes: number;
  readonly next: string;
};

const inTrash = (host: Host, pool: PoolName): readonly CouldFree[] =>
  [...host.trash.values()]
    .filter(({ place }) => place.pool === pool)
    .map(({ disk, from }) => ({ object: from, is: 'trash', bytes: disk.bytes, next: 'domtrail gc --all --yes' }));

const inRevisions = ({ spec, revisions }: Volume): readonly CouldFree[] =>
  revisions.map(({ id, disk, pinned, number }) => {
    const newer = revisions.filter((other) => !other.pinned && other.number > number).length;
    return {
      object: `${spec.key}@${id}`,
      is: pinned ? 'pinned' : 'revision',
      bytes: disk.bytes,
      next: pinned
        ? `domtrail volume unpin ${spec.key} ${id}`
        : `domtrail volume set ${spec.key} revisions_to_keep=${newer}`,
    };
  });

const ORDER = { trash: 0, revision: 1, pinned: 2 } as const;

/** What could be freed in a pool: trash first, then revisions that retention can let go, then pinned ones; large ones first. */
export const couldFree = (host: Host, pool: PoolName): readonly CouldFree[] =>
  [
    ...inTrash(host, pool),
    ...[...host.vms.values()]
      .flatMap(volumesOf)
      .filter(({ spec }) => spec.pool === pool)
      .flatMap(inRevisions),
  ].sort((a, b) => ORDER[a.is] - ORDER[b.is] || b.bytes - a.bytes);
