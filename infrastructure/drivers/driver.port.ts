import type { SeenDisk } from '../../domain/adoption/seen.ts';
import type { Evidence } from '../../domain/command/events.ts';
import type { DiskId, Place } from '../../domain/disk.ts';
import type { Failure } from '../../domain/failure.ts';
import type { PoolUsage } from '../../domain/pool/usage.ts';
import type { PoolWound } from '../../domain/pool/wound.ts';
import type { Result } from '../../domain/result.ts';
import type { ContentTarget } from '../../domain/steps.ts';
import type { Image } from './image.ts';

/** A disk as a driver sees it now. `name` is the driver's own: `VG/LV`, or a path relative to the pool's directory. */
export type Sighting = {
  readonly id: DiskId;
  readonly name: string;
  readonly bytes: number;
  /** allocated bytes, null where the driver cannot tell */
  readonly usedBytes: number | null;
  /** the step that made it, from a tag or marker written atomically with the disk; null: not made by a step we know */
  readonly madeBy: { readonly command: string; readonly step: number } | null;
  /** the disk this one was snapshotted from, while the driver still knows */
  readonly origin: DiskId | null;
  /** false: listed but without valid content (LVM's phantom after a killed command); must be scrapped and made again */
  readonly usable: boolean;
  readonly active: boolean;
  /** true: LVM leaves it inactive when it activates the others (the activation skip flag) */
  readonly skipped?: boolean;
  /** when its content was last written, epoch milliseconds, where the driver knows */
  readonly writtenAt?: number;
  /** somebody has it open now */
  readonly open: boolean;
};

/** A deed whose disks are all known by id. */
export type BoundDeed =
  | { readonly do: 'create'; readonly at: Place; readonly bytes: number }
  | { readonly do: 'snapshot'; readonly of: DiskId; readonly from: Place; readonly at: Place }
  | { readonly do: 'move'; readonly disk: DiskId; readonly from: Place; readonly to: Place }
  | {
      readonly do: 'resize';
      readonly disk: DiskId;
      readonly at: Place;
      readonly bytes: number;
      readonly shrink: boolean;
    }
  | { readonly do: 'activate'; readonly disk: DiskId; readonly at: Place }
  | { readonly do: 'fill'; readonly disk: DiskId; readonly at: Place; readonly from: BoundSource }
  | { readonly do: 'read'; readonly disk: DiskId; readonly at: Place; readonly to: ContentTarget }
  | { readonly do: 'erase'; readonly disk: DiskId; readonly at: Place };

/** `limit`: bytes that stdin may bring at most; one more is D_TOO_MUCH_DATA. `stamp` as in ContentSource, null when no check is wanted. */
export type BoundSource =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: number; readonly stamp: string | null }
  | { readonly kind: 'stdin'; readonly limit: number }
  | { readonly kind: 'stream'; readonly bytes: number; readonly open: OpenContent };

/** Content that is unpacked while it is read: all of its bytes, holes as zeros. Throws where it turns out to be damaged. */
export type OpenContent = () => AsyncIterable<Buffer>;

/** `command` and `step` go into the marker (tag, sidecar) and into LVM's archive. */
export type Job = { readonly command: string; readonly step: number; readonly deed: BoundDeed };

/** Bytes moved so far and in all; called at most a few times a second. */
export type Progress = (done: number, total: number) => void;

/** What an act gives back: the evidence, and a failure when the driver already knows one. The state is the verdict. */
export type Acted = { readonly evidence: Evidence; readonly failure: Failure | null };

/**
 * One pool's hands. A driver does as it is told and never decides: whether a step has to run is judged by the runner
 * from what `survey` shows before and after.
 */
export type VolumeDriver = {
  /** Full name of a place, unique in the pool; equal to `Sighting.name` of the disk lying there. */
  readonly nameOf: (place: Place) => string;
  /** What a disk's name says it is, by the grammar of this driver and of stock Qubes; null for names that neither gives. */
  readonly parseName: (name: string) => SeenDisk['named'];
  /** The device or file at that place, as a VM or a reader gets it. */
  readonly pathOf: (place: Place) => string;
  /** Every disk of the pool in one look, also those that are not ours. */
  readonly survey: () => Promise<Result<readonly Sighting[], Failure>>;
  /** The same for a pool that `prepare` has not seen yet; where it is missing, `survey` does. */
  readonly firstSurvey?: VolumeDriver['survey'];
  /** Carries one deed out. Must be safe to repeat after a crash at any instruction. */
  readonly act: (job: Job, progress?: Progress) => Promise<Acted>;
  /** Removes a disk that is not usable, so that its step can be done again. */
  readonly scrap: (sighting: Sighting, job: Job) => Promise<Acted>;
  /** Whether erasing a disk takes so long that a stop should not wait for it. Left out: it never does. */
  readonly erasesSlowly?: (disk: Sighting) => boolean;
  /**
   * What a crash left wrong with the pool itself; asked after every unclean end, before anything else is done in the pool.
   * Fails where the pool cannot be seen, or is wrong in a way that a person has to look into.
   */
  readonly examine: () => Promise<Result<readonly PoolWound[], Failure>>;
  /** Puts one wound right, keeping every disk that has content. Safe to repeat; `command` goes into LVM's archive. */
  readonly mend: (wound: PoolWound, command: string) => Promise<Acted>;
  /** The command is over: markers that only its recovery needed may go. */
  readonly settle: (command: string) => Promise<void>;
  /** Checks that the pool exists and can do what is asked of it; creates the directories of a file pool. */
  readonly prepare: () => Promise<Result<null, Failure>>;
  /** Bytes of the pool: size and used, and those of the metadata where there are any. */
  readonly usage: () => Promise<Result<PoolUsage, Failure>>;
  /** The content of a disk that nobody changes, to be read in pieces. Left out: this driver's disks cannot be. */
  readonly image?: (at: Place, disk: DiskId) => Promise<Result<Image, Failure>>;
  /** After a crash while an image was looked at: gives back what looking may have taken. */
  readonly releaseImages?: () => Promise<void>;
  /** The same as the last survey saw it, where a survey sees it; null before the first. Costs nothing. */
  readonly seenUsage?: () => PoolUsage | null;
};
