import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { DiskId } from '../../../domain/disk.ts';
import { errorCode } from '../system-failure.ts';

/** `inode` is `device:number`, comparable between files that are looked at during one boot. */
export type FileFacts = {
  readonly id: DiskId;
  readonly bytes: number;
  readonly usedBytes: number;
  readonly inode: string;
  /** epoch milliseconds */
  readonly writtenAt: number;
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
  writtenAt: Number(stats.mtimeNs / 1_000_000n),
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
