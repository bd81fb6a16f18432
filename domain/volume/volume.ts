import type { Disk, DiskId } from '../disk.ts';
import type { PoolName, VolumeKey, VolumeName } from '../names.ts';

/**
 * What a volume is meant to be; the fields of qubes.xml's `<volume>` (spec: storage 1.1).
 * `bytes` is the size asked for; `revisionsToKeep` -1 means that the VM writes to the committed disk itself.
 */
export type VolumeSpec = {
  readonly key: VolumeKey;
  readonly name: VolumeName;
  readonly pool: PoolName;
  readonly vid: string;
  readonly bytes: number;
  readonly rw: boolean;
  readonly snapOnStart: boolean;
  readonly saveOnStop: boolean;
  readonly revisionsToKeep: number;
  readonly source: VolumeKey | null;
  readonly ephemeral: boolean | null;
  /** attributes that an adopted document wrote in a way of its own (`rw="true"`), and stock would write again so */
  readonly written?: Readonly<Record<string, string>>;
};

/** An older committed state. `at` is epoch seconds and grows with `number`, whatever the clock did. */
export type Revision = {
  readonly id: string;
  readonly number: number;
  readonly at: number;
  readonly disk: Disk;
  readonly position: number;
  readonly pinned: boolean;
};

/** A disk a VM writes to, and the disk it was made from (null for an empty one). */
export type Session = { readonly disk: Disk; readonly origin: DiskId | null };

/** What a volume can be. Each situation holds exactly what is true in it. */
export type Situation =
  /** no disk: a volatile or snapshot volume at rest, or one of a pool without disks */
  | { readonly is: 'absent' }
  | { readonly is: 'clean'; readonly current: Disk }
  | { readonly is: 'running'; readonly session: Session; readonly current: Disk | null }
  /** a volatile volume in use */
  | { readonly is: 'scratch'; readonly disk: Disk }
  /** revisions_to_keep = -1: the VM writes to the committed disk */
  | { readonly is: 'direct'; readonly current: Disk }
  /** as running, but the host died under it: the session is kept and somebody decides */
  | { readonly is: 'dirty'; readonly session: Session; readonly current: Disk | null };

/** `lastNumber` and `lastAt` outlive the revisions they numbered, so that order never depends on the clock. */
export type Volume = {
  readonly spec: VolumeSpec;
  readonly situation: Situation;
  readonly revisions: readonly Revision[];
  readonly lastNumber: number;
  readonly lastAt: number;
};

export const currentOf = (volume: Volume): Disk | null => {
  const { situation } = volume;
  return situation.is === 'absent' || situation.is === 'scratch' ? null : situation.current;
};

export const snapshotsDisabled = (spec: VolumeSpec): boolean =>
  spec.revisionsToKeep === -1 && !spec.snapOnStart && spec.saveOnStop;

/** The size people see: of the disk in use when there is one. */
export const bytesOf = (volume: Volume): number => {
  const { situation } = volume;
  switch (situation.is) {
    case 'absent':
      return volume.spec.bytes;
    case 'clean':
    case 'direct':
      return situation.current.bytes;
    case 'scratch':
      return situation.disk.bytes;
    case 'running':
    case 'dirty':
      return situation.session.disk.bytes;
  }
};
