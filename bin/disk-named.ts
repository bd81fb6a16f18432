import type { Host } from '../domain/host/host.ts';
import { volumesOf } from '../domain/vm/vm.ts';
import { disksOf } from '../domain/volume/disks.ts';
import { placeOf } from '../domain/volume/swap.ts';
import { newestEntries } from '../projections/audit/audit.ts';
import type { Sql } from '../projections/projection.ts';
import { driverFor } from './compose.ts';

/** What to look for: events about `object`, and of those the ones that speak of `disk`, if one is meant. */
export type Target = { readonly object: string; readonly disk: string | null; readonly name: string | null };

/** The disk that lies under a name or path, by the state, or in the trash. */
export const diskNamed = (host: Host, text: string): Target | null => {
  const short = nameInPool(host, text);
  for (const volume of [...host.vms.values()].flatMap(volumesOf)) {
    const pool = host.pools.get(volume.spec.pool);
    if (!pool || pool.driver === 'linux-kernel') continue;
    const driver = driverFor(pool);
    for (const { disk, role } of disksOf(volume)) {
      const place = placeOf(volume, role);
      if (disk.id === text || driver.nameOf(place) === short || driver.pathOf(place) === text) {
        return { object: volume.spec.key, disk: disk.id, name: driver.nameOf(place) };
      }
    }
  }
  const trash = [...host.trash.values()].find(({ disk }) => disk.id === text);
  return trash ? { object: trash.from, disk: trash.disk.id, name: null } : null;
};

/** `VM:VOLUME` for each way to read `vm-NAME-VOLUME` or `.../NAME/VOLUME`: names may hold dashes. */
const keysIn = (vid: string): readonly string[] => {
  const parts = vid.split('/');
  const last = parts.at(-1) ?? '';
  if (parts.length > 2) return [`${parts.at(-2)}:${last}`];
  const name = last.replace(/^vm-/, '');
  return [...name.matchAll(/-/g)].map(({ index }) => `${name.slice(0, index)}:${name.slice(index + 1)}`);
};

/** A driver's name for what may be a device or a file's full path. */
export const nameInPool = (host: Host, text: string): string => {
  for (const pool of host.pools.values()) {
    if (pool.driver === 'file-reflink' && text.startsWith(`${pool.dir}/`)) return text.slice(pool.dir.length + 1);
    if (pool.driver === 'lvm_thin' && text.startsWith(`/dev/${pool.volumeGroup}/`)) return text.slice('/dev/'.length);
  }
  return text;
};

/**
 * The volume that a name stands for by which no disk lies any more: read from the name alone, and looked up in the index,
 * so that a removed VM's names are known for ever.
 */
export const volumeOfName = (host: Host, sql: Sql, text: string): string | null => {
  const name = nameInPool(host, text);
  for (const pool of host.pools.values()) {
    if (pool.driver === 'linux-kernel') continue;
    const named = driverFor(pool).parseName(name);
    for (const key of named ? keysIn(named.vid) : []) {
      if (newestEntries(sql, key, { after: 0, upTo: host.position, limit: 1 }).length > 0) return key;
    }
  }
  return null;
};
