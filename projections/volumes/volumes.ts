import type { Disk, Role } from '../../domain/disk.ts';
import type { DomainEvent, Recorded } from '../../domain/event.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { isVolumeFact } from '../../domain/volume/evolve.ts';
import { bytesOf, currentOf, type Volume } from '../../domain/volume/volume.ts';
import type { Projection, Sql } from '../projection.ts';

const schema = (prefix: string): string => `
  CREATE TABLE ${prefix}volumes_volume (
    volume            TEXT PRIMARY KEY, -- VM:VOLUME
    pool              TEXT NOT NULL,
    vid               TEXT NOT NULL,
    situation         TEXT NOT NULL,    -- absent, clean, running, scratch, direct, dirty
    bytes             INTEGER NOT NULL,
    current_disk      TEXT,
    session_disk      TEXT,
    revisions         INTEGER NOT NULL,
    revisions_to_keep INTEGER NOT NULL,
    position          INTEGER NOT NULL  -- of the last event that changed it
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE ${prefix}volumes_disk (
    disk     TEXT PRIMARY KEY,          -- LV UUID, or inode and birth time
    volume   TEXT NOT NULL,             -- the volume it belongs or belonged to
    role     TEXT NOT NULL,             -- current, session, scratch, direct, revision, trash, gone
    revision TEXT,                      -- its id while it is one
    origin   TEXT,                      -- the disk it was copied from, where the log knows
    bytes    INTEGER NOT NULL,
    how      TEXT NOT NULL,             -- the event type that brought it in
    command  TEXT NOT NULL,             -- the command that made it
    made     INTEGER NOT NULL,          -- position of that event
    changed  INTEGER NOT NULL,          -- position of the last change of role
    gone     INTEGER                    -- position of its end
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ${prefix}volumes_disk_by_volume ON ${prefix}volumes_disk (volume, made);
`;

type Write = { readonly sql: Sql; readonly prefix: string; readonly recorded: Recorded };

const saveVolume = ({ sql, prefix, recorded }: Write, volume: Volume): void => {
  const { spec, situation } = volume;
  const session =
    'session' in situation ? situation.session.disk.id : situation.is === 'scratch' ? situation.disk.id : null;
  sql.run(
    `INSERT INTO ${prefix}volumes_volume VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (volume) DO UPDATE SET pool = excluded.pool, vid = excluded.vid, situation = excluded.situation,
       bytes = excluded.bytes, current_disk = excluded.current_disk, session_disk = excluded.session_disk,
       revisions = excluded.revisions, revisions_to_keep = excluded.revisions_to_keep, position = excluded.position`,
    spec.key,
    spec.pool,
    spec.vid,
    situation.is,
    bytesOf(volume),
    currentOf(volume)?.id ?? null,
    session,
    volume.revisions.length,
    spec.revisionsToKeep,
    recorded.position,
  );
};

type Born = { readonly disk: Disk; readonly origin: string | null };

/** The disk an event brings in, and what it was copied from. */
const born = (event: DomainEvent, before: string | null): Born | null => {
  switch (event.type) {
    case 'VolumeProvisioned':
      return { disk: event.current, origin: null };
    case 'SessionOpened':
      return { disk: event.session.disk, origin: event.session.origin };
    case 'ScratchOpened':
      return { disk: event.disk, origin: null };
    case 'SessionCheckpointed':
    case 'VolumeReverted':
    case 'VolumeImported':
    case 'VolumeCloned':
      return { disk: event.current, origin: before };
    case 'VolumeResized':
      return event.disk && event.kept ? { disk: event.disk, origin: event.kept.disk.id } : null;
    default:
      return null;
  }
};

const revisionDisk = ({ sql, prefix }: Write, volume: string, revision: string): string | null =>
  (sql.all(`SELECT disk FROM ${prefix}volumes_disk WHERE volume = ? AND revision = ?`, volume, revision)[0]?.['disk'] as
    | string
    | undefined) ?? null;

/** What a copied disk came from, as far as the event says. */
const originOf = (write: Write, host: Host): string | null => {
  const { event } = write.recorded;
  if (event.type === 'VolumeReverted') return revisionDisk(write, event.volume, event.to);
  if (event.type === 'VolumeCloned') return currentOf(volumeOf(host, event.from) as Volume)?.id ?? null;
  if (event.type !== 'SessionCheckpointed') return null;
  const situation = volumeOf(host, event.volume)?.situation;
  return situation?.is === 'running' ? situation.session.disk.id : null;
};

const bringIn = ({ sql, prefix, recorded }: Write, volume: string, { disk, origin }: Born): void =>
  sql.run(
    `INSERT OR IGNORE INTO ${prefix}volumes_disk VALUES (?, ?, 'current', NULL, ?, ?, ?, ?, ?, ?, NULL)`,
    disk.id,
    volume,
    origin,
    disk.bytes,
    recorded.event.type,
    recorded.command,
    recorded.position,
    recorded.position,
  );

const roleName = (role: Role): string => role.kind;

/** Gives every disk of the volume the role it has now. Disks that left it are told by DiskTrashed and DiskErased. */
const assignRoles = ({ sql, prefix, recorded }: Write, volume: Volume): void => {
  for (const { disk, role } of disksOf(volume)) {
    const revision = volume.revisions.find((one) => one.disk.id === disk.id)?.id ?? null;
    sql.run(
      `UPDATE ${prefix}volumes_disk SET role = ?, revision = ?, bytes = ?, changed = ? WHERE disk = ? AND (role <> ? OR revision IS NOT ? OR bytes <> ?)`,
      roleName(role),
      revision,
      disk.bytes,
      recorded.position,
      disk.id,
      roleName(role),
      revision,
      disk.bytes,
    );
  }
};

const follow = (write: Write, key: VolumeKey, host: Host): void => {
  const volume = volumeOf(host, key);
  if (!volume) {
    write.sql.run(`DELETE FROM ${write.prefix}volumes_volume WHERE volume = ?`, key);
    return;
  }
  const disk = born(write.recorded.event, originOf(write, host));
  if (disk) bringIn(write, key, disk);
  assignRoles(write, volume);
  saveVolume(write, volume);
};

const followTrash = ({ sql, prefix, recorded }: Write): boolean => {
  const { event, position } = recorded;
  if (event.type === 'DiskTrashed') {
    const { disk, from, why } = event;
    sql.run(
      `INSERT INTO ${prefix}volumes_disk VALUES (?, ?, 'trash', NULL, NULL, ?, ?, ?, ?, ?, NULL)
       ON CONFLICT (disk) DO UPDATE SET role = 'trash', changed = excluded.changed`,
      disk.id,
      from,
      disk.bytes,
      `trashed: ${why}`,
      recorded.command,
      position,
      position,
    );
    return true;
  }
  if (event.type !== 'DiskErased') return false;
  sql.run(
    `UPDATE ${prefix}volumes_disk SET role = 'gone', changed = ?, gone = ? WHERE disk = ?`,
    position,
    position,
    event.disk,
  );
  return true;
};

const apply: Projection['apply'] = (sql, prefix, recorded, host) => {
  const { event } = recorded;
  const write = { sql, prefix, recorded };
  if (followTrash(write)) return;
  if (isVolumeFact(event)) follow(write, event.volume, host);
  else if (event.type === 'VmCreated')
    for (const volume of volumesOf(host.vms.get(event.vm) as never)) saveVolume(write, volume);
  else if (event.type === 'VmRemoved')
    sql.run(`DELETE FROM ${prefix}volumes_volume WHERE substr(volume, 1, ?) = ?`, event.vm.length + 1, `${event.vm}:`);
};

/** The volumes as they are, and every disk there ever was, by its identity: names come and go, this does not. */
export const volumesProjection: Projection = {
  name: 'volumes',
  version: 1,
  tables: ['volumes_volume', 'volumes_disk'],
  schema,
  apply,
};

export type DiskRow = {
  readonly disk: string;
  readonly volume: string;
  readonly role: string;
  readonly revision: string | null;
  readonly origin: string | null;
  readonly bytes: number;
  readonly how: string;
  readonly command: string;
  readonly made: number;
  readonly changed: number;
  readonly gone: number | null;
};

/** Every disk a volume ever had, in the order they came. */
export const disksOfVolume = (sql: Sql, volume: string): readonly DiskRow[] =>
  sql.all('SELECT * FROM volumes_disk WHERE volume = ? ORDER BY made, disk', volume) as unknown as readonly DiskRow[];

export const diskById = (sql: Sql, disk: string): DiskRow | null =>
  (sql.all('SELECT * FROM volumes_disk WHERE disk = ?', disk)[0] as unknown as DiskRow | undefined) ?? null;
