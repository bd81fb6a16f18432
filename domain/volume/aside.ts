import { type PlanBuilder, setAside } from '../plan-builder.ts';
import { disksOf } from './disks.ts';
import { placeOf } from './swap.ts';
import type { Volume } from './volume.ts';

/** Every disk of a volume goes to the trash and stays there, as it was. */
export const asideAll = (builder: PlanBuilder, volume: Volume): void => {
  for (const { disk, role } of disksOf(volume)) {
    setAside(builder, { object: volume.spec.key, ref: { id: disk.id }, disk, from: placeOf(volume, role) }, 'removed');
  }
};
