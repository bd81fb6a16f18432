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

/** A compressed stream, unpacked. Throws for damaged data, and whatever the source throws. */
export const decompressed = (filter: Filter | null, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> => {
  if (filter === null) return pieces;
  return filter === 'gzip' ? gunzipped(pieces) : throughFilter(PROGRAMS[filter], pieces);
};
