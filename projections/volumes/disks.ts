import type { DomainEvent, Recorded } from '../../domain/event.ts';
import type { Host } from '../../domain/host/host.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import { perPrefix, type Sql } from '../projection.ts';
import { broughtIn, copiedFrom, sourceOf } from './origin.ts';

export type Write = { readonly sql: Sql; readonly prefix: string; readonly recorded: Recorded; readonly host: Host };

const TEXTS = perPrefix((prefix) => ({
  bringIn: `INSERT OR IGNORE INTO ${prefix}volumes_disk VALUES (?, ?, 'current', NULL, 0, ?, ?, ?, ?, ?, ?, NULL, ?, NULL, NULL)`,
  assign: `UPDATE ${prefix}volumes_disk SET role = ?, revision = coalesce(?, revision), pinned = ?, bytes = ?,
      committed = coalesce(committed, ?), changed = ?
    WHERE disk = ? AND (role <> ? OR pinned <> ? OR bytes <> ? OR (committed IS NULL AND ? IS NOT NULL))`,
  originOf: `SELECT origin FROM ${prefix}volumes_disk WHERE disk = ?`,
  follows: `UPDATE ${prefix}volumes_disk SET origin = ? WHERE disk = ?`,
  trash: `INSERT INTO ${prefix}volumes_disk VALUES (?, ?, 'trash', NULL, 0, NULL, NULL, ?, 'DiskTrashed', ?, ?, NULL, ?, ?, NULL)
    ON CONFLICT (disk) DO UPDATE SET role = 'trash', changed = excluded.changed, why = excluded.why`,
  renameDisk: `UPDATE ${prefix}volumes_disk SET disk = ? WHERE disk = ?`,
  renameOrigin: `UPDATE ${prefix}volumes_disk SET origin = ? WHERE origin = ?`,
  accept: `INSERT INTO ${prefix}volumes_disk VALUES (?, ?, 'current', NULL, 0, ?, ?, ?, 'DisksAccepted', ?, ?, NULL, ?, NULL, NULL)
    ON CONFLICT (disk) DO UPDATE SET volume = excluded.volume, changed = excluded.changed, why = NULL, gone = NULL`,
  lose: `UPDATE ${prefix}volumes_disk SET role = 'gone', changed = ?, gone = ?, why = ? WHERE disk = ? AND volume = ?`,
  erase: `UPDATE ${prefix}volumes_disk SET role = 'gone', changed = ?, gone = ? WHERE disk = ?`,
}));

/**
 * A running session that is committed goes on: LVM has the committed disk as a snapshot of the session. In the order of
 * contents it is the other way round, the session goes on from the state just committed.
 */
const checkpointed = ({ sql, prefix }: Write, session: string, current: string): string | null => {
  const texts = TEXTS(prefix);
  const before = sql.all(texts.originOf, session)[0]?.['origin'];
  sql.run(texts.follows, current, session);
  return typeof before === 'string' ? before : null;
};

const originFor = (write: Write, volume: Volume, disk: string): string | null => {
  const { event, command } = write.recorded;
  if (event.type === 'SessionOpened') return event.session.origin;
  if (event.type === 'DiskAdopted') return event.origin;
  const { situation } = volume;
  if (event.type === 'SessionCheckpointed' && situation.is === 'running') {
    return checkpointed(write, situation.session.disk.id, disk);
  }
  return copiedFrom(write.host, command, disk);
};

const bringIn = (write: Write, volume: Volume): void => {
  const { sql, prefix, recorded } = write;
  const disk = broughtIn(recorded.event);
  if (!disk) return;
  const { event, command, position } = recorded;
  const origin = originFor(write, volume, disk.id);
  const { key } = volume.spec;
  sql.run(
    TEXTS(prefix).bringIn,
    disk.id,
    key,
    origin,
    sourceOf(event),
    disk.bytes,
    event.type,
    command,
    position,
    position,
  );
};

/** A disk that a move gave another identity is still the same disk, with all that is known of it. */
const rename = (sql: Sql, prefix: string, was: string, now: string): void => {
  sql.run(TEXTS(prefix).renameDisk, now, was);
  sql.run(TEXTS(prefix).renameOrigin, now, was);
};

/** Gives disks the identities that an event gives them; other events give none. */
export const renameDisks = (sql: Sql, prefix: string, event: DomainEvent): void => {
  if (event.type === 'VolumeReidentified') for (const { was, now } of event.disks) rename(sql, prefix, was, now);
  if (event.type === 'TrashReidentified') rename(sql, prefix, event.disk, event.now);
};

/** What lies there is taken for what was listed. Disks that changed places come back under the other volume. */
const accept = ({ sql, prefix, recorded }: Write, volume: Volume): void => {
  const { event, command, position } = recorded;
  if (event.type !== 'DisksAccepted') return;
  const { key } = volume.spec;
  const { accept: take, lose } = TEXTS(prefix);
  for (const { disk, name, origin } of event.disks)
    sql.run(take, disk.id, key, origin, name, disk.bytes, command, position, position);
  const there = new Set(event.disks.map(({ disk }) => disk.id));
  for (const { was } of event.disks) if (!there.has(was)) sql.run(lose, position, position, 'replaced', was, key);
};

const COMMITTED: ReadonlySet<string> = new Set(['current', 'direct']);

/** Takes up the disk an event brings, and gives every disk of the volume the role it has now. Those that left it follow in `throwAway`. */
export const followDisks = (write: Write, volume: Volume): void => {
  bringIn(write, volume);
  renameDisks(write.sql, write.prefix, write.recorded.event);
  accept(write, volume);
  const { sql, prefix, recorded } = write;
  if (recorded.event.type === 'DiskLost') {
    const { position, event } = recorded;
    sql.run(TEXTS(prefix).lose, position, position, 'lost', event.disk, volume.spec.key);
  }
  const { assign } = TEXTS(prefix);
  const { position } = recorded;
  const revisions = new Map(volume.revisions.map((one) => [one.disk.id, one]));
  for (const { disk, role } of disksOf(volume)) {
    const { id = null, pinned = false } = revisions.get(disk.id) ?? {};
    const pin = Number(pinned);
    const committed = COMMITTED.has(role.kind) ? position : null;
    const now = [role.kind, id, pin, disk.bytes, committed, position] as const;
    sql.run(assign, ...now, disk.id, role.kind, pin, disk.bytes, committed);
  }
};

/** Disks on their way out. Gives whether the event was about one. */
export const throwAway = ({ sql, prefix, recorded }: Write): boolean => {
  const { event, command, position } = recorded;
  if (event.type === 'DiskTrashed') {
    const { disk, from, why } = event;
    sql.run(TEXTS(prefix).trash, disk.id, from, disk.bytes, command, position, position, why);
    return true;
  }
  if (event.type === 'TrashReidentified') {
    renameDisks(sql, prefix, event);
    return true;
  }
  if (event.type !== 'DiskErased') return false;
  sql.run(TEXTS(prefix).erase, position, position, event.disk);
  return true;
};
