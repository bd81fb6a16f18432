import { stat } from 'node:fs/promises';
import { formatBytes } from '../../../domain/bytes.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { Ran } from '../../process/run.ts';
import type { DeedOf } from '../dispatch.ts';
import type { Sighting } from '../driver.port.ts';
import { stampText } from '../stamp.ts';
import { streamed } from '../streamed.ts';
import { errorCode, failureOf } from '../system-failure.ts';
import { copyInArgv, oneMoreArgv, stdinInArgv } from './argv.ts';
import { copy } from './copy.ts';
import { holdersOf, madeActive } from './deeds.ts';
import { discardArgv, zeroArgv } from './device-argv.ts';
import { failureOfProgram } from './failures.ts';
import { lookAtPool } from './look.ts';
import { devicePathOf } from './names.ts';
import { usageOf } from './report.ts';
import { theDisk, type Work } from './work.ts';

type Source = DeedOf<'fill'>['from'];

const tooMuch = (name: string, bytes: number): Failure =>
  failure('D_TOO_MUCH_DATA', `there is more data than fits into ${name} (${formatBytes(bytes)})`);

/** A device to copy from carries no stamp: its disk was checked when the deed was bound. */
const sourceFailure = async (source: Source): Promise<Failure | null> => {
  if (source.kind !== 'file' || source.stamp === null) return null;
  const { path, bytes, stamp } = source;
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile() && Number(stats.size) === bytes && stampText(stats) === stamp) return null;
    return failure('D_INPUT_CHANGED', `${path} has changed since the command was planned`, { next: 'import it again' });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return failure('D_INPUT_CHANGED', `${path} is gone`);
    return failureOf(error, `${path} cannot be looked at`);
  }
};

const PAUSE_MS = 200;

/**
 * Waits until nobody has the device open. A process that was killed leaves its `dd` behind, which goes on writing and
 * must not write over what we are about to put there.
 */
const freeToWrite = async (work: Work, target: Sighting): Promise<Failure | null> => {
  for (let left = Math.ceil(work.settings.patienceMs / PAUSE_MS); ; left--) {
    const holders = await holdersOf(work, target);
    if (holders === 'gone')
      return failure('D_DRIFT', `${target.name} is not the disk ${target.id} any more, or has no device`);
    if (holders === 0) return null;
    if (left <= 0) return failure('D_DEVICE_IN_USE', `${target.name} is open`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
};

/** The copy skips blocks of zeros, so whatever an earlier attempt left there has to go first. */
const emptied = async (work: Work, { name }: Sighting): Promise<Failure | null> => {
  const path = devicePathOf(name);
  const discarded = await work.program(discardArgv(path));
  if (discarded.evidence.exitCode === 0) return null;
  const { evidence } = await work.program(zeroArgv(path));
  return evidence.exitCode === 0 ? null : failureOfProgram(evidence, `${name} could not be emptied`);
};

const failureOfCopy = ({ evidence }: Ran, name: string): Failure | null =>
  evidence.exitCode === 0 ? null : failureOfProgram(evidence, `the data could not be copied to ${name}`);

const fromStdin = async (work: Work, { name }: Sighting, limit: number): Promise<Failure | null> => {
  const stdin = work.settings.stdin;
  const failed = failureOfCopy(await copy(work, stdinInArgv(devicePathOf(name), limit), limit, { stdin }), name);
  if (failed) return failed;
  const more = await work.settings.run(oneMoreArgv, { stdin });
  return more.stdout.length > 0 ? tooMuch(name, limit) : failureOfCopy(more, name);
};

type Stream = Extract<Source, { readonly kind: 'stream' }>;

const fromStream = async (work: Work, { name }: Sighting, { bytes, open }: Stream): Promise<Failure | null> => {
  const { pieces, failure: broken } = streamed(open);
  const ran = await copy(work, stdinInArgv(devicePathOf(name), bytes), bytes, { feed: pieces });
  return broken() ?? failureOfCopy(ran, name);
};

const copied = async (work: Work, target: Sighting, from: Source): Promise<Failure | null> => {
  if (from.kind === 'stdin') return fromStdin(work, target, from.limit);
  if (from.kind === 'stream') return fromStream(work, target, from);
  const argv = copyInArgv(from.path, devicePathOf(target.name));
  return failureOfCopy(await copy(work, argv, from.bytes), target.name) ?? (await sourceFailure(from));
};

/**
 * A write into a pool that is full or closed ends in the same error as one to a broken disk: what the pool says of itself
 * tells them apart (spec: testbed §3).
 */
const inThePoolsLight = async ({ pool, settings }: Work, failed: Failure | null): Promise<Failure | null> => {
  if (failed?.code !== 'D_IO_ERROR') return failed;
  const report = await lookAtPool(pool, settings);
  const trouble = report.ok ? usageOf(report.value).trouble : undefined;
  const { message, cause = '' } = failed;
  switch (trouble) {
    case 'out-of-data':
      return failure('D_DISK_FULL', message, { cause: `the pool is out of data space: ${cause}` });
    case 'read-only':
      return failure('D_POOL_READ_ONLY', message, { cause: `the pool went read-only: ${cause}` });
    case 'failed':
      return failure('D_POOL_DAMAGED', message, { cause: `the pool has failed: ${cause}` });
    case undefined:
      return failed;
  }
};

/**
 * Replaces a disk's whole content. Until it returns without failure the content is undefined, also after a crash; the
 * step is then repeated from the start, and only disks that nobody uses yet are filled.
 */
export const fill = async (work: Work, { disk, at, from }: DeedOf<'fill'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const target = found.value;
  const bytes = from.kind === 'stdin' ? from.limit : from.bytes;
  if (bytes > target.bytes) return tooMuch(target.name, target.bytes);
  const unready = (await sourceFailure(from)) ?? (await madeActive(work, target)) ?? (await freeToWrite(work, target));
  if (unready) return unready;
  work.progress(0, bytes);
  const failed = await inThePoolsLight(work, (await emptied(work, target)) ?? (await copied(work, target, from)));
  if (!failed) work.progress(bytes, bytes);
  return failed;
};
