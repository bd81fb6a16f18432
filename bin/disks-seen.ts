import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { inStep } from '../infrastructure/ledger/projections.ts';
import { auditProjection, newestEntries } from '../projections/audit/audit.ts';
import type { Sql } from '../projections/projection.ts';
import {
  type DiskRow,
  diskById,
  disksOfVolume,
  volumesProjection,
  volumesWithDisks,
} from '../projections/volumes/volumes.ts';
import { type Reading, tablesAt } from './compose.ts';
import { disksThen, relatedTo, renamings } from './past-disks.ts';

/** What was folded for one look into the past, by volume. */
const THEN = new WeakMap<Ledger, Map<string, Sql | null>>();

const tablesOf = (reading: Reading, volume: string): Sql => {
  const { ledger, asOf } = reading;
  const known = THEN.get(ledger) ?? new Map<string, Sql | null>();
  THEN.set(ledger, known);
  const key = `${asOf.position} ${volume}`;
  const then = known.has(key) ? known.get(key) : disksThen(ledger, volume, asOf.position);
  known.set(key, then ?? null);
  return then ?? tablesAt(reading, volumesProjection);
};

/** Whether the tables of today can be asked where to look for the disks of then. */
const looksBack = ({ ledger, past }: Reading): boolean => past && inStep(ledger, volumesProjection);

/** Every disk a volume ever had up to the reading, in the order they came. */
export const disksSeen = (reading: Reading, volume: string): readonly DiskRow[] =>
  disksOfVolume(looksBack(reading) ? tablesOf(reading, volume) : tablesAt(reading, volumesProjection), volume);

/** The identity that a disk has today; it may have got another one since. */
const idToday = (ledger: Ledger, disk: string): string => {
  const newIds = new Map<string, string>();
  for (const { event } of renamings(ledger, Number.MAX_SAFE_INTEGER)) {
    if (event.type === 'VolumeReidentified') for (const { was, now } of event.disks) newIds.set(was, now);
    if (event.type === 'TrashReidentified') newIds.set(event.disk, event.now);
  }
  let id = disk;
  for (let next = newIds.get(id); next !== undefined && newIds.delete(id); next = newIds.get(id)) id = next;
  return id;
};

/** A disk as it was at the reading; null where there was none yet. */
export const diskSeen = (reading: Reading, disk: string): DiskRow | null => {
  const { ledger, asOf } = reading;
  if (!looksBack(reading)) return diskById(tablesAt(reading, volumesProjection), disk);
  const today = diskById(ledger.sql, disk) ?? diskById(ledger.sql, idToday(ledger, disk));
  if (!today || today.made > asOf.position) return null;
  for (const volume of relatedTo(ledger, today.volume, Number.MAX_SAFE_INTEGER)) {
    const row = diskById(tablesOf(reading, volume), disk);
    if (row) return row;
  }
  return diskById(tablesAt(reading, volumesProjection), disk);
};

/** Every volume that has or had a disk at the reading, the one that changed last first. */
export const volumesSeen = (reading: Reading): readonly string[] => {
  const { ledger, asOf } = reading;
  const upTo = asOf.position;
  const audit = tablesAt(reading, auditProjection);
  const disks = looksBack(reading) ? ledger.sql : tablesAt(reading, volumesProjection);
  return volumesWithDisks(disks, upTo)
    .map((volume) => ({ volume, last: newestEntries(audit, volume, { after: 0, upTo, limit: 1 })[0] ?? 0 }))
    .sort((a, b) => b.last - a.last || (a.volume < b.volume ? -1 : 1))
    .map(({ volume }) => volume);
};
