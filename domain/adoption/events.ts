import type { Disk, DiskId } from '../disk.ts';
import type { VolumeKey } from '../names.ts';
import type { Untouched } from './seen.ts';

export type AdoptedAs =
  | { readonly is: 'current' }
  | { readonly is: 'session' }
  | { readonly is: 'revision'; readonly id: string; readonly number: number; readonly at: number };

/** Old identity and new, of disks that are the same but for the move of their home. */
export type Renamed = { readonly was: DiskId; readonly now: DiskId };

export type AdoptionVolumeFact =
  /** A disk that was there before the log knew it. `name`: what it was called then. `why`: when its name alone does not say it. */
  | {
      readonly type: 'DiskAdopted';
      readonly volume: VolumeKey;
      readonly disk: Disk;
      readonly as: AdoptedAs;
      readonly origin: DiskId | null;
      readonly name: string;
      readonly why: string | null;
    }
  /** Every disk the volume speaks of, its session's origin included. */
  | { readonly type: 'VolumeReidentified'; readonly volume: VolumeKey; readonly disks: readonly Renamed[] };

export type AdoptionHostFact =
  /** The sum of an adoption: what was left alone, and what people should know. */
  | {
      readonly type: 'StorageAdopted';
      readonly pools: readonly string[];
      readonly untouched: readonly Untouched[];
      readonly notes: readonly { readonly object: string; readonly note: string }[];
    }
  /** The trash is known by its new identity from now on, which a DiskTrashed tells. */
  | { readonly type: 'TrashReidentified'; readonly disk: DiskId; readonly now: DiskId; readonly from: string };
