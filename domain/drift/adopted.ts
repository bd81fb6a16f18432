import type { Disk, DiskId } from '../disk.ts';
import type { VolumeKey } from '../names.ts';

/** A disk that is taken for the one the log had there: another one, or the same with another size. */
export type Accepted = {
  readonly was: DiskId;
  readonly disk: Disk;
  readonly name: string;
  readonly origin: DiskId | null;
};

/** What somebody took over of how the world differs from the log. */
export type DriftVolumeFact =
  /** The disk is gone, and the log knows it now. */
  | { readonly type: 'DiskLost'; readonly volume: VolumeKey; readonly disk: DiskId; readonly name: string }
  /** All of a volume's at once, because two of them may have changed places. */
  | { readonly type: 'DisksAccepted'; readonly volume: VolumeKey; readonly disks: readonly Accepted[] };
