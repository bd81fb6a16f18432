import { constants } from 'node:fs';
import { open, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../../../domain/bytes.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { DeedOf } from '../dispatch.ts';
import { sync } from '../sync.ts';
import { errorCode } from '../system-failure.ts';
import { relocate, solidWay } from './durable.ts';
import { factsOf, lookAt } from './identity.ts';
import { imageName } from './names.ts';
import { theDisk, type Work } from './work.ts';

/**
 * Renames a disk. Its data is flushed first: a session that becomes the committed state may hold writes that are only in
 * memory, and an acknowledged commit must survive a power cut.
 */
export const move = async (work: Work, { disk, from, to }: DeedOf<'move'>): Promise<Failure | null> => {
  const name = imageName(to.vid, to.role);
  const blocked = await solidWay(work.dir, name);
  if (blocked) return blocked;
  const there = await lookAt(join(work.dir, name));
  if (there) return factsOf(there).id === disk ? null : failure('D_EXISTS', `${name} exists already`);
  const found = await theDisk(work, from, disk);
  if (!found.ok) return found.error;
  await sync(found.value.path);
  await relocate(work.dir, found.value.name, name);
  return null;
};

export const resize = async (work: Work, { disk, at, bytes, shrink }: DeedOf<'resize'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const { path, name, facts } = found.value;
  if (bytes < facts.bytes && !shrink) {
    return failure(
      'D_SHRINK',
      `${name} is larger (${formatBytes(facts.bytes)}) than the size asked for (${formatBytes(bytes)})`,
    );
  }
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    // The open file is compared once more: from here on its name no longer matters.
    const opened = factsOf(await handle.stat({ bigint: true }));
    if (opened.id !== disk) return failure('D_DRIFT', `${name} was replaced by another file`);
    if (opened.bytes !== bytes) await handle.truncate(bytes);
    await handle.sync();
    return null;
  } finally {
    await handle.close();
  }
};

/** Files are always there to be opened: only looks whether it is the right one. */
export const activate = async (work: Work, { disk, at }: DeedOf<'activate'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  return found.ok ? null : found.error;
};

/** Removes the directory of a VM whose last file is gone. One that stays harms nobody, so no failure counts. */
const tidy = async (directory: string): Promise<void> => {
  try {
    await rmdir(directory);
  } catch (error) {
    if (errorCode(error) === null) throw error;
  }
};

/** Removes exactly this disk; one that is gone already is fine, another one at its place is not touched. */
export const erase = async (work: Work, { disk, at }: DeedOf<'erase'>): Promise<Failure | null> => {
  const name = imageName(at.vid, at.role);
  const blocked = await solidWay(work.dir, name);
  if (blocked) return blocked;
  if (await lookAt(join(work.dir, name))) {
    const found = await theDisk(work, at, disk);
    if (!found.ok) return found.error;
    await unlink(found.value.path);
    await sync(dirname(found.value.path));
  }
  await tidy(join(work.dir, dirname(at.vid)));
  return null;
};
