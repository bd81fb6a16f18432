import { volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { isVolumeFact } from '../../domain/volume/evolve.ts';
import { bytesOf, currentOf, type Volume } from '../../domain/volume/volume.ts';
import {
  numberIn,
  numberOrNullIn,
  type Projection,
  perPrefix,
  type Row,
  type Sql,
  textIn,
  textOrNullIn,
} from '../projection.ts';
import { followDisks, throwAway, type Write } from './disks.ts';
import { volumesSchema } from './schema.ts';

const TEXTS = perPrefix((prefix) => ({
  save: `INSERT INTO ${prefix}volumes_volume VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (volume) DO UPDATE SET pool = excluded.pool, vid = excluded.vid, situation = excluded.situation,
      bytes = excluded.bytes, current_disk = excluded.current_disk, session_disk = excluded.session_disk,
      revisions = excluded.revisions, revisions_to_keep = excluded.revisions_to_keep, position = excluded.position`,
  drop: `DELETE FROM ${prefix}volumes_volume WHERE volume = ?`,
  dropOfVm: `DELETE FROM ${prefix}volumes_volume WHERE substr(volume, 1, ?) = ?`,
}));

const sessionOf = ({ situation }: Volume): string | null => {
  if ('session' in situation) return situation.session.disk.id;
  return situation.is === 'scratch' ? situation.disk.id : null;
};

const saveVolume = ({ sql, prefix, recorded }: Write, volume: Volume): void => {
  const { spec, situation, revisions } = volume;
  sql.run(
    TEXTS(prefix).save,
    spec.key,
    spec.pool,
    spec.vid,
    situation.is,
    bytesOf(volume),
    currentOf(volume)?.id ?? null,
    sessionOf(volume),
    revisions.length,
    spec.revisionsToKeep,
    recorded.position,
  );
};

const follow = (write: Write, key: VolumeKey): void => {
  const volume = volumeOf(write.host, key);
  if (!volume) {
    write.sql.run(TEXTS(write.prefix).drop, key);
    return;
  }
  followDisks(write, volume);
  saveVolume(write, volume);
};

/** What only reads a volume. */
const LEAVES: ReadonlySet<string> = new Set(['VolumeExported', 'VolumeBackedUp', 'VolumeBackupFailed']);

const apply: Projection['apply'] = (sql, prefix, recorded, host) => {
  const { event } = recorded;
  const write = { sql, prefix, recorded, host };
  if (LEAVES.has(event.type) || throwAway(write)) return;
  if (isVolumeFact(event)) follow(write, event.volume);
  else if (event.type === 'VmCreated') {
    const vm = host.vms.get(event.vm);
    for (const volume of vm ? volumesOf(vm) : []) saveVolume(write, volume);
  } else if (event.type === 'VmRemoved') {
    sql.run(TEXTS(prefix).dropOfVm, event.vm.length + 1, `${event.vm}:`);
  }
};

/** The volumes as they are, and every disk there ever was, by its identity: names come and go, this does not. */
export const volumesProjection: Projection = {
  name: 'volumes',
  version: 3,
  tables: ['volumes_volume', 'volumes_disk'],
  schema: volumesSchema,
  apply,
};

/** A disk's row; the columns are explained in schema.ts. */
export type DiskRow = {
  readonly disk: string;
  readonly volume: string;
  readonly role: string;
  readonly revision: string | null;
  readonly pinned: boolean;
  readonly origin: string | null;
  readonly source: string | null;
  readonly bytes: number;
  readonly how: string;
  readonly command: string;
  readonly made: number;
  readonly committed: number | null;
  readonly changed: number;
  readonly why: string | null;
  readonly gone: number | null;
};

const diskOf = (row: Row): DiskRow => ({
  disk: textIn(row, 'disk'),
  volume: textIn(row, 'volume'),
  role: textIn(row, 'role'),
  revision: textOrNullIn(row, 'revision'),
  pinned: numberIn(row, 'pinned') === 1,
  origin: textOrNullIn(row, 'origin'),
  source: textOrNullIn(row, 'source'),
  bytes: numberIn(row, 'bytes'),
  how: textIn(row, 'how'),
  command: textIn(row, 'command'),
  made: numberIn(row, 'made'),
  committed: numberOrNullIn(row, 'committed'),
  changed: numberIn(row, 'changed'),
  why: textOrNullIn(row, 'why'),
  gone: numberOrNullIn(row, 'gone'),
});

/** Every disk a volume ever had, in the order they came. */
export const disksOfVolume = (sql: Sql, volume: string): readonly DiskRow[] =>
  sql.all('SELECT * FROM volumes_disk WHERE volume = ? ORDER BY made, disk', volume).map(diskOf);

export const diskById = (sql: Sql, disk: string): DiskRow | null => {
  const [row] = sql.all('SELECT * FROM volumes_disk WHERE disk = ?', disk);
  return row ? diskOf(row) : null;
};

/** Every volume that has or had a disk by a position. */
export const volumesWithDisks = (sql: Sql, upTo: number): readonly string[] =>
  sql.all('SELECT DISTINCT volume FROM volumes_disk WHERE made <= ?', upTo).map((row) => textIn(row, 'volume'));
