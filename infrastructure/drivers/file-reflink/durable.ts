import { mkdir, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { type Failure, failure } from '../../../domain/failure.ts';
import { sync } from '../sync.ts';
import { errorCode } from '../system-failure.ts';
import { lookAt } from './identity.ts';

const makeOne = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return;
  }
  await sync(dirname(path));
};

/** Creates a directory and those missing above it, each of them durable in its parent. Mode 0700. */
export const makeDirectory = async (path: string): Promise<void> => {
  try {
    return await makeOne(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  await makeDirectory(dirname(path));
  // Not a loop: some file systems (proc) say "no such directory" to every mkdir.
  await makeOne(path);
};

/** Every directory on the way to `name` is a real one (or still missing): a symlink could lead out of the pool. */
export const solidWay = async (dir: string, name: string): Promise<Failure | null> => {
  let path = dir;
  for (const part of dirname(name).split(sep)) {
    path = join(path, part);
    const stats = await lookAt(path);
    if (!stats) return null;
    if (!stats.isDirectory()) return failure('D_DRIVER_REFUSES', `${path} is not a directory`);
  }
  return null;
};

/** How often a directory that vanished between mkdir and rename is made again. */
const TRIES = 3;

/**
 * Renames within the pool and makes it durable. The new entry is flushed before the removal of the old one, so that a
 * power cut between the two can leave a second name but never none.
 */
export const relocate = async (dir: string, from: string, to: string): Promise<void> => {
  const target = join(dir, to);
  for (let tries = 1; ; tries++) {
    await makeDirectory(dirname(target));
    try {
      await rename(join(dir, from), target);
      break;
    } catch (error) {
      // An erase elsewhere removes a VM's directory when it finds it empty; it may have been ours just now.
      if (errorCode(error) !== 'ENOENT' || tries === TRIES) throw error;
    }
  }
  await sync(dirname(target));
  if (dirname(from) !== dirname(to)) await sync(dirname(join(dir, from)));
};
