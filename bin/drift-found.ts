import type { Host } from '../domain/host/host.ts';
import { answered, type Drift, storageDrift } from '../infrastructure/service/drift.ts';
import { diskById, volumesProjection } from '../projections/volumes/volumes.ts';
import { driverFor, type Reading, tablesAt } from './compose.ts';
import { nameInPool } from './disk-named.ts';

/** The event that last changed what the log says of a disk, where the state itself does not know it. */
const explained = (reading: Reading, one: Drift): Drift => {
  if (one.position !== null || one.disk === undefined) return one;
  return { ...one, position: diskById(tablesAt(reading, volumesProjection), one.disk)?.changed ?? null };
};

/** Everything that differs between the log and this host. */
export const driftFound = async (reading: Reading): Promise<readonly Drift[]> => {
  const { host } = reading;
  const found = await storageDrift(host, driverFor);
  return answered(host, found).map((one) => explained(reading, one));
};

/** Whether a difference is about what somebody named: an LV or file, a volume, a VM, or what `drift` itself calls it. */
export const isAbout =
  (host: Host, text: string) =>
  ({ name, about, object }: Drift): boolean =>
    name === nameInPool(host, text) || object === text || about === text || (about?.startsWith(`${text}:`) ?? false);
