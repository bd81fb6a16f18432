import type { Disk, DiskId, Role } from '../disk.ts';
import type { SeenDisk } from './seen.ts';

/**
 * What the log can say about when its files were last written. `lastStep`: time of the last step it recorded, epoch
 * milliseconds. `bornElsewhere`: disks whose content is older than their identity, because they were adopted or moved.
 */
export type Witness = { readonly lastStep: number; readonly bornElsewhere: readonly DiskId[] };

/** A disk of the log, where it must lie, and whether a VM may have written to it after the log's last word. */
export type Expected = {
  readonly object: string;
  readonly disk: Disk;
  readonly vid: string;
  readonly role: Role;
  readonly mayChange: boolean;
};

/** In files a volume has one name for what its VM writes to. */
const RUNNING: ReadonlySet<string> = new Set(['session', 'scratch', 'direct']);

/** Whether a disk's name says that it lies where the log expects one. */
export const liesAt = ({ named }: SeenDisk, { vid, role }: Expected): boolean => {
  if (named?.vid !== vid) return false;
  const { as } = named;
  if (as.kind === 'session') return RUNNING.has(role.kind);
  if (as.kind === 'revision') return role.kind === 'revision' && role.number === as.number && role.at === as.at;
  if (as.kind === 'trash' || as.kind === 'incoming') return role.kind === as.kind && role.position === as.position;
  return role.kind === as.kind;
};

/** The birth time in the identity of a file, in epoch milliseconds (docs/adr/0004). */
const birthOf = (id: DiskId): number | null => {
  const digits = /^file:\d+-(\d{7,30})$/.exec(id)?.[1];
  return digits === undefined ? null : Number(digits.slice(0, -6));
};

/**
 * Why a file cannot be taken for the disk the log knows; null when name, size and the time of its last change agree with
 * the log: not before that disk was made, and not after the log's last step.
 */
export const doubt = (seen: SeenDisk, { disk, mayChange }: Expected, witness: Witness): string | null => {
  if (seen.bytes !== disk.bytes) return `it has ${seen.bytes} bytes, not ${disk.bytes}`;
  const written = seen.writtenAt;
  if (written === undefined) return 'nobody can tell when it was last written';
  const born = witness.bornElsewhere.includes(disk.id) ? null : birthOf(disk.id);
  if (born !== null && written < born) return 'it is older than the disk the log knows';
  if (!mayChange && written > witness.lastStep) return "it was written after the log's last step";
  return null;
};
