import { basename, dirname, join } from 'node:path';
import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { tarFiles } from '../../backup/sparse-tar/read.ts';
import { throughFilter } from '../../process/filter.ts';
import { type Image, imageAt, type Range } from '../image.ts';
import { stampOf } from '../stamp.ts';
import { solidWay } from './durable.ts';
import { fileAt } from './identity.ts';
import { imageName } from './names.ts';

async function* nothing(): AsyncGenerator<Buffer> {}

/**
 * Where a file has data. Node cannot ask for SEEK_HOLE; GNU tar asks, and writes the answer before any data: it is stopped
 * when that has come. Null where it does not answer.
 */
export const rangesOf = async (path: string): Promise<readonly Range[] | null> => {
  const options = ['--sparse', '--hole-detection=seek', '--format=posix', '--sparse-version=1.0'];
  const argv = [
    'tar',
    '--create',
    ...options,
    '--file=-',
    `--directory=${dirname(path)}`,
    '--',
    basename(path),
  ] as const;
  const pieces = throughFilter(argv, nothing());
  try {
    for await (const { extents } of tarFiles(pieces)) return extents.filter(({ length }) => length > 0);
  } catch {
    // Whatever is wrong with tar or with its answer: reading the whole file finds the same holes, only later.
  } finally {
    // It would wait for a reader of the data for ever.
    await pieces.return(undefined);
  }
  return null;
};

/** The image of a disk in a directory of files. D_DRIFT unless exactly that disk lies there. */
export const imageIn = async (dir: string, place: Place, id: DiskId): Promise<Result<Image, Failure>> => {
  const name = imageName(place.vid, place.role);
  const blocked = await solidWay(dir, name);
  if (blocked) return err(blocked);
  const path = join(dir, name);
  const facts = await fileAt(path);
  if (facts?.id !== id) return err(failure('D_DRIFT', `${name} is not the disk ${id}`));
  const stamp = await stampOf(path);
  return ok({ ...imageAt(path, facts.bytes, await rangesOf(path)), stamp });
};
