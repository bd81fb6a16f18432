import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes pieces to a program's stdin as fast as it takes them, and closes it. A program that ended early wants no more. */
export const feed = async (pieces: AsyncIterable<Buffer>, into: Writable): Promise<void> => {
  for await (const piece of pieces) {
    if (into.destroyed) return;
    if (!into.write(piece)) await Promise.race([once(into, 'drain'), once(into, 'close')]);
  }
  into.end();
};
