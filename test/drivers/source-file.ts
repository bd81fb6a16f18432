import { mkdtemp, open, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stampOf } from '../../infrastructure/drivers/stamp.ts';
import type { Piece, SourceFile } from './bench.ts';

export const writeFileAt = async (path: string, offset: number, text: string): Promise<void> => {
  const handle = await open(path, 'r+');
  try {
    await handle.write(Buffer.from(text, 'latin1'), 0, text.length, offset);
  } finally {
    await handle.close();
  }
};

export const readFileAt = async (path: string, offset: number, length: number): Promise<string> => {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
};

/** A sparse file in a directory of its own below `dir`, to be imported from. */
export const sourceIn = async (dir: string, bytes: number, pieces: readonly Piece[]): Promise<SourceFile> => {
  const path = join(await mkdtemp(join(dir, 'source-')), 'image');
  await writeFile(path, '');
  await truncate(path, bytes);
  for (const { offset, text } of pieces) await writeFileAt(path, offset, text);
  return { kind: 'file', path, bytes: (await stat(path)).size, stamp: await stampOf(path) };
};
