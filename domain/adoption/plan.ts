import type { Disk, Place, Role } from '../disk.ts';
import { CURRENT, type Planning, placeOf, revisionId, SESSION } from '../volume/swap.ts';
import type { Volume } from '../volume/volume.ts';
import type { AdoptedAs } from './events.ts';
import type { SeenDisk } from './seen.ts';
import type { Sorted, Taken, TakenRevision } from './sort-out.ts';

const diskOf = ({ id, bytes }: SeenDisk): Disk => ({ id, bytes });

type Goal = { readonly role: Role; readonly as: AdoptedAs; readonly needed: boolean };

const sameName = (a: Role, b: Role): boolean => a.kind === b.kind;

/** A step only where the name must change, or where an LV that is needed is switched off. */
const adoptAs = (volume: Volume, taken: Taken, { role, as, needed }: Goal, { builder }: Planning): void => {
  const { key } = volume.spec;
  const { disk, from, why } = taken;
  const at = placeOf(volume, role);
  if (!sameName(from, role)) {
    builder.main(key, { do: 'move', disk: { id: disk.id }, from: placeOf(volume, from), to: at });
  }
  if (needed && !disk.active) builder.main(key, { do: 'activate', disk: { id: disk.id }, at });
  builder.fact({ type: 'DiskAdopted', volume: key, disk: diskOf(disk), as, origin: disk.origin, name: disk.name, why });
};

const adoptRevision = (volume: Volume, taken: TakenRevision, pinned: boolean, planning: Planning): void => {
  const { number, at } = taken;
  const id = revisionId(planning.pool, number, at);
  const role: Role = { kind: 'revision', number, at };
  adoptAs(volume, taken, { role, as: { is: 'revision', id, number, at }, needed: false }, planning);
  if (pinned) planning.builder.fact({ type: 'RevisionPinned', volume: volume.spec.key, id, pinned: true });
};

/** Out of the live names, and left there: only `gc` erases what an adoption put into the trash. */
const putAside = (volume: Volume, { disk, from }: Taken, { builder }: Planning): void => {
  const { key } = volume.spec;
  const place: Place =
    from.kind === 'trash'
      ? placeOf(volume, from)
      : placeOf(volume, { kind: 'trash', position: builder.freshPosition() });
  if (from.kind !== 'trash') {
    builder.main(key, { do: 'move', disk: { id: disk.id }, from: placeOf(volume, from), to: place });
  }
  builder.fact({ type: 'DiskTrashed', disk: diskOf(disk), place, from: key, why: 'leftover' });
};

/** The steps and facts that make the log know a volume's disks. Oldest first, so that each fact finds the older ones. */
export const planAdoption = (volume: Volume, sorted: Sorted, planning: Planning): void => {
  for (const revision of sorted.revisions) adoptRevision(volume, revision, sorted.pinned, planning);
  if (sorted.current) {
    adoptAs(volume, sorted.current, { role: CURRENT, as: { is: 'current' }, needed: true }, planning);
  }
  if (sorted.session) {
    adoptAs(volume, sorted.session, { role: SESSION, as: { is: 'session' }, needed: true }, planning);
  }
  for (const taken of sorted.trash) putAside(volume, taken, planning);
};
