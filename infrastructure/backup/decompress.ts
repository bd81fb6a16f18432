import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { throughFilter } from '../process/filter.ts';
import type { Filter } from './header.ts';

const PROGRAMS = {
  bzip2: ['bzip2', '-dc'],
  xz: ['xz', '-dc'],
  lzma: ['xz', '--format=lzma', '-dc'],
  zstd: ['zstd', '-dcq'],
} as const;

/** Begins with the first piece that is asked for: a stream that is passed over is not read. */
async function* gunzipped(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(pieces, { objectMode: false });
  const gunzip = createGunzip();
  // pipe() does not hand errors on.
  source.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const piece of source.pipe(gunzip)) yield piece as Buffer;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Something lies behind a compressed stream, where no archiver puts anything. */
class TrailingData extends Error {}

/**
 * What `unpack` makes of the pieces, which are read to their end even where it has enough before: what does not
 * authenticate there must still be found.
 */
async function* toTheEnd(
  pieces: AsyncIterable<Buffer>,
  unpack: (pieces: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const source = pieces[Symbol.asyncIterator]();
  let ended = false;
  const next = async (): Promise<IteratorResult<Buffer>> => {
    const step = await source.next();
    ended = step.done === true;
    return step;
  };
  // Without a `return`, whoever stops early leaves the source where it is.
  yield* unpack({ [Symbol.asyncIterator]: () => ({ next }) });
  while (!ended) {
    const { done, value } = await next();
    if (!done && value.length > 0) {
      for (let step = await next(); !step.done; step = await next());
      throw new TrailingData('something follows the compressed data');
    }
  }
}

/** A compressed stream, unpacked. Throws for damaged data, and whatever the source throws. */
export const decompressed = (filter: Filter | null, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> => {
  if (filter === null) return pieces;
  return toTheEnd(pieces, filter === 'gzip' ? gunzipped : (source) => throughFilter(PROGRAMS[filter], source));
};
