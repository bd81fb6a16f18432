import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Failure } from '../../../domain/failure.ts';
import type { Ran } from '../../process/run.ts';
import type { DeedOf } from '../dispatch.ts';
import type { Sighting } from '../driver.port.ts';
import { settledTarget } from '../settled-target.ts';
import { sync } from '../sync.ts';
import { failureOf } from '../system-failure.ts';
import { copyOutArgv, stdoutArgv } from './argv.ts';
import { copy } from './copy.ts';
import { madeActive } from './deeds.ts';
import { failureOfProgram } from './failures.ts';
import { devicePathOf } from './names.ts';
import { theDisk, type Work } from './work.ts';

/** A file name holds 255 bytes; a character takes up to 4 and the rest up to 125. */
const KEPT_CHARACTERS = 30;

/** The same for every attempt at a step, so that a repeated one clears away what a killed one left. */
const temporaryBeside = (target: string, { job }: Work): string => {
  const start = Array.from(basename(target)).slice(0, KEPT_CHARACTERS).join('');
  return join(dirname(target), `.${start}.${job.command}.${job.step}.tmp`);
};

const failureOfCopy = ({ evidence }: Ran, name: string): Failure | null =>
  evidence.exitCode === 0 ? null : failureOfProgram(evidence, `${name} could not be copied`);

/** Ours and of the full size before `dd` comes: it may run as root, and it leaves out zeros at the end. */
const prepared = async (temporary: string, bytes: number): Promise<void> => {
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
};

/** The target appears, or is replaced, when the copy is complete and flushed; before that it is as it was. */
const toFile = async (work: Work, { name, bytes }: Sighting, path: string): Promise<Failure | null> => {
  const target = await settledTarget(path);
  if (typeof target !== 'string') return target;
  const temporary = temporaryBeside(target, work);
  try {
    await prepared(temporary, bytes);
    const failed = failureOfCopy(await copy(work, copyOutArgv(devicePathOf(name), temporary), bytes), name);
    if (failed) return failed;
    await rename(temporary, target);
    await sync(dirname(target));
    return null;
  } finally {
    await rm(temporary, { force: true });
  }
};

const toStdout = async (work: Work, { name, bytes }: Sighting): Promise<Failure | null> =>
  failureOfCopy(await copy(work, stdoutArgv(devicePathOf(name)), bytes, { stdout: work.settings.stdout }), name);

/** Copies a disk's content out of the pool. */
export const read = async (work: Work, { disk, at, to }: DeedOf<'read'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const source = found.value;
  const inactive = await madeActive(work, source);
  if (inactive) return inactive;
  work.progress(0, source.bytes);
  try {
    const failed = await (to.kind === 'stdout' ? toStdout(work, source) : toFile(work, source, to.path));
    if (!failed) work.progress(source.bytes, source.bytes);
    return failed;
  } catch (error) {
    return failureOf(error, `${to.kind === 'stdout' ? 'standard output' : to.path} could not be written`);
  }
};
