import type { AdoptionVolumeFact } from '../adoption/events.ts';
import type { Disk } from '../disk.ts';
import type { DriftVolumeFact } from '../drift/adopted.ts';
import type { VolumeKey } from '../names.ts';
import type { Revision, Session, VolumeSpec } from './volume.ts';

/** The state that a swap kept; null when the volume keeps none. */
export type Kept = { readonly id: string; readonly number: number; readonly at: number; readonly disk: Disk } | null;

export type VolumeFact =
  | AdoptionVolumeFact
  | DriftVolumeFact
  | { readonly type: 'VolumeAdded'; readonly volume: VolumeKey; readonly spec: VolumeSpec }
  | { readonly type: 'VolumeRemoved'; readonly volume: VolumeKey }
  | { readonly type: 'VolumeProvisioned'; readonly volume: VolumeKey; readonly current: Disk }
  /** its first disk holds what a backup had; `sha256` of that, `from` the backup's name */
  | {
      readonly type: 'VolumeRestored';
      readonly volume: VolumeKey;
      readonly from: string;
      readonly sha256: string;
      readonly current: Disk;
    }
  | { readonly type: 'SessionOpened'; readonly volume: VolumeKey; readonly session: Session }
  | { readonly type: 'ScratchOpened'; readonly volume: VolumeKey; readonly disk: Disk }
  | { readonly type: 'DirectOpened'; readonly volume: VolumeKey }
  /** a dirty session goes on: the VM runs again on the data it had when the host died */
  | { readonly type: 'SessionResumed'; readonly volume: VolumeKey }
  | { readonly type: 'SessionCommitted'; readonly volume: VolumeKey; readonly current: Disk; readonly kept: Kept }
  /** the state of a running session was kept as the committed one; the session goes on */
  | { readonly type: 'SessionCheckpointed'; readonly volume: VolumeKey; readonly current: Disk; readonly kept: Kept }
  | { readonly type: 'SessionDiscarded'; readonly volume: VolumeKey }
  | { readonly type: 'ScratchClosed'; readonly volume: VolumeKey }
  | { readonly type: 'DirectClosed'; readonly volume: VolumeKey }
  /** the host died under the session; its data is kept until somebody commits or discards it */
  | { readonly type: 'SessionLeft'; readonly volume: VolumeKey }
  | {
      readonly type: 'VolumeReverted';
      readonly volume: VolumeKey;
      readonly to: string;
      readonly current: Disk;
      readonly kept: Kept;
    }
  | {
      readonly type: 'VolumeImported';
      readonly volume: VolumeKey;
      readonly from: string;
      readonly current: Disk;
      readonly kept: Kept;
    }
  | {
      readonly type: 'VolumeCloned';
      readonly volume: VolumeKey;
      readonly from: VolumeKey;
      readonly current: Disk;
      readonly kept: Kept;
    }
  | {
      readonly type: 'VolumeResized';
      readonly volume: VolumeKey;
      readonly bytes: number;
      readonly disk: Disk | null;
      readonly kept: Kept;
    }
  | { readonly type: 'VolumeExported'; readonly volume: VolumeKey; readonly to: string; readonly disk: Disk }
  /** `disk` is the committed one that the backup holds; `stored` of its `bytes` are no hole; `digest` as in the backup's list */
  | {
      readonly type: 'VolumeBackedUp';
      readonly volume: VolumeKey;
      readonly backup: string;
      readonly backupId: string;
      readonly disk: Disk;
      readonly bytes: number;
      readonly stored: number;
      readonly digest: string;
      readonly chunks: number;
      readonly durationMs: number;
    }
  | {
      readonly type: 'VolumeBackupFailed';
      readonly volume: VolumeKey;
      readonly backup: string;
      readonly backupId: string;
      readonly disk: Disk;
      readonly problem: string;
    }
  | {
      readonly type: 'VolumeChanged';
      readonly volume: VolumeKey;
      readonly change: VolumeChange;
      readonly before: VolumeChange;
    }
  /** its disks came back from the trash, each to where it was; a session among them is one that a crash had left */
  | {
      readonly type: 'VolumeReturned';
      readonly volume: VolumeKey;
      readonly current: Disk | null;
      readonly session: Session | null;
      readonly revisions: readonly Revision[];
      readonly lastNumber: number;
      readonly lastAt: number;
    }
  | { readonly type: 'VolumeResourced'; readonly volume: VolumeKey; readonly spec: VolumeSpec }
  | {
      readonly type: 'RevisionRetired';
      readonly volume: VolumeKey;
      readonly id: string;
      readonly why: 'retention' | 'removal';
    }
  | { readonly type: 'RevisionPinned'; readonly volume: VolumeKey; readonly id: string; readonly pinned: boolean };

type VolumeChange =
  | { readonly revisionsToKeep: number }
  | { readonly rw: boolean }
  | { readonly ephemeral: boolean | null };
