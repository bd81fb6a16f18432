import type { DiskId, Place, Role } from '../../domain/disk.ts';
import type { Code } from '../../domain/failure.ts';
import type { PoolName } from '../../domain/names.ts';
import type { BoundDeed, BoundSource, Job, Sighting, VolumeDriver } from '../../infrastructure/drivers/driver.port.ts';

export type SourceFile = Extract<BoundSource, { kind: 'file' }>;

/** Text lying at an offset of an otherwise empty disk or file. */
export type Piece = { readonly offset: number; readonly text: string };

/**
 * One prepared, empty pool with its driver, and ways to look at contents and to act behind the driver's back. Paths are
 * those of `driver.pathOf`, of `sourceFile` and of `targetPath`; a driver that only lives in memory gives them its own
 * meaning. Hooks that are missing leave out the tests that need them, and vitest lists those as skipped.
 */
export type DriverBench = {
  readonly driver: VolumeDriver;
  readonly pool: PoolName;
  readonly vidFor: (vm: string, volume: string) => string;
  readonly writeAt: (path: string, offset: number, text: string) => Promise<void>;
  /** Up to `length` bytes as latin1; shorter only at the end of the disk or file. */
  readonly readAt: (path: string, offset: number, length: number) => Promise<string>;
  /** A file outside the pool, to fill a disk from. */
  readonly sourceFile: (bytes: number, pieces: readonly Piece[]) => Promise<SourceFile>;
  /** Where a file may be read to; nothing is there yet. */
  readonly targetPath: () => string;
  /** Another program makes a disk at a place, without any mark of ours. */
  readonly foreignCreate?: (place: Place, bytes: number) => Promise<void>;
  /** Another program removes or renames a disk; names are those of sightings. */
  readonly foreignRemove?: (name: string) => Promise<void>;
  readonly foreignRename?: (from: string, to: string) => Promise<void>;
  /** Another process opens a disk and keeps it open, as a running VM does. */
  readonly holdOpen?: (path: string) => Promise<Holder>;
  readonly cleanup: () => Promise<void>;
};

export type Holder = {
  readonly readAt: (offset: number, length: number) => Promise<string>;
  readonly release: () => Promise<void>;
};

/** Sizes are whole LVM extents, so that every driver can give exactly what was asked for. */
export const SMALL = 4 * 2 ** 20;
export const LARGE = 2 * SMALL;

let commands = 0;
export const jobFor = (deed: BoundDeed): Job => ({ command: `contract-${++commands}`, step: 1, deed });

export const placeIn = ({ pool, vidFor }: DriverBench, role: Role, volume = 'private'): Place => ({
  pool,
  vid: vidFor('work', volume),
  role,
});

export const surveyed = async ({ driver }: DriverBench): Promise<readonly Sighting[]> => {
  const survey = await driver.survey();
  if (!survey.ok) throw new Error(`${survey.error.code}: ${survey.error.message} ${survey.error.cause ?? ''}`);
  return survey.value;
};

export const seenAt = async (bench: DriverBench, place: Place): Promise<Sighting | undefined> =>
  (await surveyed(bench)).find(({ name }) => name === bench.driver.nameOf(place));

export const idAt = async (bench: DriverBench, place: Place): Promise<DiskId | undefined> =>
  (await seenAt(bench, place))?.id;

export const carryOut = async ({ driver }: DriverBench, job: Job): Promise<void> => {
  const { failure, evidence } = await driver.act(job);
  if (failure)
    throw new Error(`${job.deed.do}: ${failure.code} ${failure.message} ${failure.cause ?? evidence.stderr}`);
};

export const must = (bench: DriverBench, deed: BoundDeed): Promise<void> => carryOut(bench, jobFor(deed));

/** The code a deed is refused with, null when it was carried out. */
export const refusal = async ({ driver }: DriverBench, deed: BoundDeed): Promise<Code | null> =>
  (await driver.act(jobFor(deed))).failure?.code ?? null;

export const made = async (bench: DriverBench, place: Place, bytes = SMALL): Promise<Sighting> => {
  await must(bench, { do: 'create', at: place, bytes });
  return mustSee(bench, place);
};

export const mustSee = async (bench: DriverBench, place: Place): Promise<Sighting> => {
  const seen = await seenAt(bench, place);
  if (!seen) throw new Error(`${bench.driver.nameOf(place)} is not there`);
  return seen;
};

const ready = async (bench: DriverBench, place: Place): Promise<string> => {
  const { id } = await mustSee(bench, place);
  await must(bench, { do: 'activate', disk: id, at: place });
  return bench.driver.pathOf(place);
};

export const write = async (bench: DriverBench, place: Place, offset: number, text: string): Promise<void> =>
  bench.writeAt(await ready(bench, place), offset, text);

export const read = async (bench: DriverBench, place: Place, offset: number, length: number): Promise<string> =>
  bench.readAt(await ready(bench, place), offset, length);

export const all = (bench: DriverBench, place: Place, bytes: number): Promise<string> => read(bench, place, 0, bytes);
