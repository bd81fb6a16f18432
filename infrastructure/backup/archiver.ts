import type { Archive, Written } from '../../domain/backup/archive.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Progress } from '../drivers/driver.port.ts';
import type { Image } from '../drivers/image.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import { FilterFailed } from '../process/filter.ts';
import type { Archived, Archiver } from './archiver.port.ts';
import { CHUNK_BYTES } from './chunk-writer.ts';
import { marksPathOf, partOf } from './deliver.ts';
import { dataIn, filesOf, type Images, type Making, marksOf, type Sources } from './files-to-write.ts';
import type { Interrupted } from './interrupted.ts';
import { type Milestones, milestonesIn, NO_MILESTONES } from './milestones.ts';
import { archiveInFile, archiveInStream, type OuterArchive, ReaderGone } from './outer-archive.ts';
import { sealsOf } from './seal.ts';
import { Stopped, type Watch, watched, watchOf } from './watch.ts';
import { AnotherBackup, type BackupToWrite, writeBackup } from './write-backup.ts';

const EVERY_MS = 250;

const counting = (images: Images, progress: Progress, finished: readonly Written[]) => {
  const total = [...images.values()].reduce((sum, image) => sum + dataIn(image), 0);
  let done = finished.reduce((sum, { stored }) => sum + stored, 0);
  let told = performance.now();
  return (count: number): void => {
    done += count;
    if (performance.now() - told < EVERY_MS) return;
    told = performance.now();
    progress(Math.min(done, total), total);
  };
};

const outerFor = ({ to, backup }: Archive, { stdout, interrupted }: Making): Promise<OuterArchive> =>
  to.kind === 'file' ? archiveInFile(partOf({ path: to.path, backup }), interrupted?.offset) : archiveInStream(stdout);

/** What went wrong as a failure; anything that cannot be foreseen is a bug and goes on. */
const failureIn = (error: unknown, { to }: Archive): Failure => {
  if (error instanceof Stopped) return error.failure;
  if (error instanceof AnotherBackup) return failure('D_INPUT_CHANGED', `the backup cannot go on: ${error.message}`);
  const target = to.kind === 'file' ? to.path : 'standard output';
  if (errorCode(error)) return failureOf(error, `the backup could not be written to ${target}`);
  if (!(error instanceof FilterFailed || error instanceof ReaderGone)) throw error;
  return failure('D_STEP_FAILED', `the backup could not be written to ${target}`, { cause: error.message });
};

const toWrite = async (sources: Sources): Promise<Result<Omit<BackupToWrite, 'onBytes' | 'signal'>, Failure>> => {
  const { archive, images, making } = sources;
  const host = making.host();
  const still = { ...sources, making: { ...making, host: () => host } };
  const qubesXml = making.qubesXml(host, await marksOf(archive, images));
  if (!qubesXml.ok) return qubesXml;
  return ok({
    compression: archive.compression,
    qubesXml: qubesXml.value,
    vms: archive.vms.map((vm) => ({ ...vm, files: filesOf(vm, still) })),
    taken: making.interrupted?.taken ?? { event: host.position, time: new Date().toISOString() },
  });
};

type Work = {
  readonly archive: Archive;
  readonly images: Images;
  readonly making: Making;
  readonly watch: Watch;
};

const stampsOf = (images: Images): ReadonlyMap<VolumeKey, string> =>
  new Map([...images].flatMap(([volume, { stamp }]) => (stamp === undefined ? [] : [[volume, stamp] as const])));

const milestonesFor = async (
  { archive: { to, backup }, images, making }: Work,
  outer: OuterArchive,
  { taken }: BackupToWrite,
): Promise<Milestones> => {
  if (to.kind === 'stdout') return NO_MILESTONES;
  const { interrupted = null } = making;
  const beginning = { backupId: backup, taken, stamps: stampsOf(images), interrupted };
  return milestonesIn(marksPathOf({ path: to.path, backup }), outer, beginning);
};

const written = async (work: Work, backup: BackupToWrite): Promise<Result<readonly Written[], Failure>> => {
  const { archive, making, watch } = work;
  const { passphrase, cost, chunkBytes = CHUNK_BYTES } = making;
  let outer: OuterArchive | null = null;
  let milestones: Milestones = NO_MILESTONES;
  try {
    outer = await outerFor(archive, making);
    milestones = await milestonesFor(work, outer, backup);
    const room = { outer, seals: sealsOf(cost), backupId: archive.backup, passphrase, chunkBytes };
    const course = { finished: making.interrupted?.finished ?? null, milestones };
    const files = await watch.over(writeBackup(room, backup, course));
    // The last flush may take as long as a slow disk needs.
    await outer.close();
    return ok(files);
  } catch (error) {
    await outer?.abort();
    return err(failureIn(error, archive));
  } finally {
    await milestones.close();
  }
};

/** Nothing holds others off from a file while no process of ours is there: one that was written to is not what was wanted. */
const unchanged = (images: Images, interrupted: Interrupted | undefined): Images =>
  new Map(
    [...images].map(([volume, image]): [VolumeKey, Image] => {
      const stamp = interrupted?.stamps.get(volume);
      if (stamp === undefined || stamp === image.stamp) return [volume, image];
      const open = () => Promise.reject(new Error('somebody wrote to it while the backup was interrupted'));
      return [volume, { ...image, open }];
    }),
  );

const MOST_NOTES = 50;

const notesText = (notes: readonly string[]): string => {
  const more = notes.length - MOST_NOTES;
  return [...notes.slice(0, MOST_NOTES), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
};

/** An archiver for one backup. */
export const archiverFor =
  (making: Making): Archiver =>
  async (archive, images, progress): Promise<Result<Archived, Failure>> => {
    const started = performance.now();
    // Whoever reads a stream may take as long as they like.
    const watch = watchOf(making.signal, archive.to.kind === 'file' ? making.stallMs : 0);
    const count = counting(images, progress, making.interrupted?.finished ?? []);
    const steady = unchanged(images, making.interrupted);
    const seen = new Map([...steady].map(([key, image]) => [key, watched(image, watch.tick)]));
    const backup = await toWrite({ archive, images: seen, making });
    if (!backup.ok) return backup;
    const notes: string[] = [];
    const onBytes = (bytes: number): void => {
      watch.tick();
      count(bytes);
    };
    const files = await written(
      { archive, images, making, watch },
      {
        ...backup.value,
        onBytes,
        onNote: (note) => void notes.push(note),
        signal: watch.signal,
      },
    );
    if (!files.ok) return files;
    const argv = archive.compression === 'none' ? [] : [[archive.compression, '-c']];
    const durationMs = Math.round(performance.now() - started);
    return ok({ written: files.value, evidence: { argv, exitCode: 0, stderr: notesText(notes), durationMs } });
  };
