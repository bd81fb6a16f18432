import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Failure } from '../../../domain/failure.ts';
import type { DeedOf } from '../dispatch.ts';
import { settledTarget } from '../settled-target.ts';
import { sync } from '../sync.ts';
import { failureOf, failureOfRun } from '../system-failure.ts';
import { outsideSuffix, removeMarker, writeMarker } from './markers.ts';
import { copyFile, type Found, theDisk, type Work, watched } from './work.ts';

/** A file name holds 255 bytes; a character takes up to 4 and the suffix up to 115. */
const KEPT_CHARACTERS = 30;

const temporaryBeside = (target: string, command: string): string => {
  const start = Array.from(basename(target)).slice(0, KEPT_CHARACTERS).join('');
  return join(dirname(target), `.${start}${outsideSuffix(command)}`);
};

const copyOut = async (work: Work, source: Found, temporary: string): Promise<Failure | null> => {
  const watching = { target: temporary, total: source.facts.usedBytes };
  const ran = await watched(work, watching, () => copyFile(work, source.path, temporary));
  return failureOfRun(ran, `${source.name} could not be copied`);
};

/** The target appears, or is replaced, when the copy is complete and flushed; before that it is as it was. */
const toFile = async (work: Work, source: Found, path: string): Promise<Failure | null> => {
  const { dir, job } = work;
  const target = await settledTarget(path);
  if (typeof target !== 'string') return target;
  const temporary = temporaryBeside(target, job.command);
  await writeMarker(dir, job, { what: 'read', path: temporary });
  try {
    await rm(temporary, { force: true });
    await (await open(temporary, 'wx', 0o600)).close();
    const failed = await copyOut(work, source, temporary);
    if (failed) return failed;
    await sync(temporary);
    await rename(temporary, target);
    await sync(dirname(target));
    return null;
  } finally {
    await rm(temporary, { force: true });
    await removeMarker(dir, job);
  }
};

/** `cat` writes to the descriptor itself: it waits for a slow reader and ends when the reader goes away. */
const toStdout = async (work: Work, { path, name }: Found): Promise<Failure | null> =>
  failureOfRun(
    await work.run(['cat', '--', path], { stdout: work.settings.stdout }),
    `${name} could not be written out`,
  );

/** Copies a disk's content out of the pool. */
export const read = async (work: Work, { disk, at, to }: DeedOf<'read'>): Promise<Failure | null> => {
  const source = await theDisk(work, at, disk);
  if (!source.ok) return source.error;
  if (to.kind === 'stdout') return toStdout(work, source.value);
  try {
    return await toFile(work, source.value, to.path);
  } catch (error) {
    return failureOf(error, `${to.path} could not be written`);
  }
};
