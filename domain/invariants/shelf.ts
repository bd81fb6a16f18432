import type { StepEvent } from '../command/events.ts';
import type { Disk, DiskId, Place } from '../disk.ts';
import type { Recorded } from '../event.ts';
import type { Host } from '../host/host.ts';
import type { Deed } from '../steps.ts';
import { volumesOf } from '../vm/vm.ts';
import { disksOf } from '../volume/disks.ts';
import { placeOf } from '../volume/swap.ts';
import type { Volume } from '../volume/volume.ts';
import { type Lying, slotOf } from './invariant.ts';

type Shelved = {
  readonly id: DiskId;
  readonly place: Place;
  readonly origin: DiskId | null;
  readonly erased: boolean;
  /** the last event that may have changed its content, and the command of that event */
  readonly written: { readonly position: number; readonly command: string } | null;
};

/**
 * Where every disk lies by the recorded steps alone, whatever the facts say: the second opinion that the facts are held
 * against. Changes in place.
 */
export type Shelf = {
  readonly disks: Map<DiskId, Shelved>;
  /** the disks under a volume's id, by `POOL VID` */
  readonly byVolume: Map<string, Set<DiskId>>;
};

const keyOf = ({ pool, vid }: Pick<Place, 'pool' | 'vid'>): string => `${pool} ${vid}`;

/** The disk is nowhere any more. */
export const takeOff = (shelf: Shelf, id: DiskId): void => {
  const one = shelf.disks.get(id);
  if (!one) return;
  shelf.disks.delete(id);
  shelf.byVolume.get(keyOf(one.place))?.delete(id);
};

const put = (shelf: Shelf, one: Shelved): void => {
  takeOff(shelf, one.id);
  shelf.disks.set(one.id, one);
  const key = keyOf(one.place);
  const there = shelf.byVolume.get(key);
  if (there) there.add(one.id);
  else shelf.byVolume.set(key, new Set([one.id]));
};

const fresh = (disk: Pick<Disk, 'id'>, place: Place): Shelved => ({
  id: disk.id,
  place,
  origin: null,
  erased: false,
  written: null,
});

/** What the facts say about a volume counts from now on: its disks came to the log otherwise than by steps. */
export const shelveAnew = (shelf: Shelf, volume: Volume): void => {
  for (const id of shelf.byVolume.get(keyOf(volume.spec)) ?? []) {
    if (shelf.disks.get(id)?.place.role.kind !== 'trash') takeOff(shelf, id);
  }
  for (const { disk, role } of disksOf(volume)) put(shelf, fresh(disk, placeOf(volume, role)));
};

/** The shelf of a state: where a watch begins that does not begin with the first event. */
export const shelfOf = (host: Host): Shelf => {
  const shelf: Shelf = { disks: new Map(), byVolume: new Map() };
  for (const vm of host.vms.values()) for (const volume of volumesOf(vm)) shelveAnew(shelf, volume);
  for (const { disk, place } of host.trash.values()) put(shelf, fresh(disk, place));
  return shelf;
};

type Stepping = { readonly event: StepEvent; readonly deed: Deed; readonly disk: DiskId | null };

const stepDone = (shelf: Shelf, deed: Deed, id: DiskId, { position, command }: Recorded): void => {
  const before = shelf.disks.get(id);
  switch (deed.do) {
    case 'create':
      put(shelf, fresh({ id }, deed.at));
      return;
    case 'snapshot':
      put(shelf, { ...fresh({ id }, deed.at), origin: 'id' in deed.of ? deed.of.id : null });
      return;
    case 'move':
      put(shelf, { ...(before ?? fresh({ id }, deed.to)), place: deed.to });
      return;
    case 'fill':
      put(shelf, { ...(before ?? fresh({ id }, deed.at)), written: { position, command } });
      return;
    case 'erase':
      takeOff(shelf, id);
      return;
    default:
      return;
  }
};

/** A step changes the shelf. An erase that failed may have discarded the content before it failed. */
export const shelveStep = (shelf: Shelf, { event, deed, disk }: Stepping, recorded: Recorded): void => {
  if (disk === null) return;
  if (event.type === 'StepDone') {
    stepDone(shelf, deed, disk, recorded);
    return;
  }
  const before = shelf.disks.get(disk);
  if (before && deed.do === 'erase' && event.evidence.argv.length > 0) put(shelf, { ...before, erased: true });
};

/** The VM writes to a disk from now on. */
export const shelveWriting = (shelf: Shelf, id: DiskId, { position, command }: Recorded): void => {
  const before = shelf.disks.get(id);
  if (before) put(shelf, { ...before, written: { position, command } });
};

/** A volume's disks; null when no step ever spoke of them. */
export const lyingOf = (shelf: Shelf, volume: Volume): readonly Lying[] | null => {
  const there = shelf.byVolume.get(keyOf(volume.spec));
  if (!there) return null;
  return [...there].flatMap((id) => {
    const one = shelf.disks.get(id);
    return one ? [{ id, slot: slotOf(one.place.role), origin: one.origin, erased: one.erased, usable: true }] : [];
  });
};
