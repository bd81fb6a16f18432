import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Inode, size and time of change: a file that was replaced or written to since has another stamp. */
export const stampText = ({ ino, size, mtimeNs }: BigIntStats): string => `${ino}+${size}+${mtimeNs}`;

/** The stamp of the file a path leads to, symlinks followed. Rejects with the system's error when it cannot be looked at. */
export const stampOf = async (path: string): Promise<string> => stampText(await stat(path, { bigint: true }));
