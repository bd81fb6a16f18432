import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Waits for whichever comes first, and takes its ear from the other: a slow program would gather thousands of them. */
const ready = async (into: Writable): Promise<void> => {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(into, 'drain', { signal }), once(into, 'close', { signal })]);
  } finally {
    over.abort();
  }
};

/** Writes pieces to a program's stdin as fast as it takes them, and closes it. A program that ended early wants no more. */
export const feed = async (pieces: AsyncIterable<Buffer>, into: Writable): Promise<void> => {
  for await (const piece of pieces) {
    if (into.destroyed) return;
    if (!into.write(piece)) await ready(into);
  }
  into.end();
};
