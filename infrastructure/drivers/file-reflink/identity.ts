import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { errorCode, failureOf } from './errors.ts';

/** `inode` is `device:number`, comparable between files that are looked at during one boot. */
export type FileFacts = {
  readonly id: DiskId;
  readonly bytes: number;
  readonly usedBytes: number;
  readonly inode: string;
};

/** st_blocks counts units of 512 bytes on every file system (inode(7)). */
const BLOCK = 512;

export const inodeKey = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** Inode and birth time: kept by a rename, never shared with a copy. Why not more and not less: docs/adr/0004. */
export const identityOf = ({ ino, birthtimeNs }: BigIntStats): DiskId => `file:${ino}-${birthtimeNs}` as DiskId;

export const factsOf = (stats: BigIntStats): FileFacts => ({
  id: identityOf(stats),
  bytes: Number(stats.size),
  usedBytes: Number(stats.blocks) * BLOCK,
  inode: inodeKey(stats),
});

/** What lies at a path without following a symlink there; null when nothing does. */
export const lookAt = async (path: string): Promise<BigIntStats | null> => {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
};

/** The facts of a regular file; null when there is none. */
export const fileAt = async (path: string): Promise<FileFacts | null> => {
  const stats = await lookAt(path);
  return stats?.isFile() ? factsOf(stats) : null;
};

export type Stamp = { readonly stamp: string; readonly bytes: number };

/** Inode, size and time of change: a file that was replaced or written to since has another stamp. */
export const stampText = ({ ino, size, mtimeNs }: BigIntStats): string => `${ino}+${size}+${mtimeNs}`;

/** The stamp and size of a file to import. Devices and pipes have no size to plan with: those go through stdin. */
export const stampOf = async (path: string): Promise<Result<Stamp, Failure>> => {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return ok({ stamp: stampText(stats), bytes: Number(stats.size) });
    return err(failure('D_BAD_INPUT', `${path} is not a regular file`, { next: 'pipe it in and write - for the file' }));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return err(failure('D_NOT_FOUND', `${path} does not exist`));
    return err(failureOf(error, `${path} cannot be looked at`));
  }
};
