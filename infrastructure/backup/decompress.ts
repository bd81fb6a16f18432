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

/** A compressed stream, unpacked. Throws for damaged data, and whatever the source throws. */
export const decompressed = (filter: Filter | null, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> => {
  if (filter === null) return pieces;
  if (filter !== 'gzip') return throughFilter(PROGRAMS[filter], pieces);
  const source = Readable.from(pieces, { objectMode: false });
  const gunzip = createGunzip();
  // pipe() does not hand errors on.
  source.on('error', (error) => gunzip.destroy(error));
  return source.pipe(gunzip) as AsyncIterable<Buffer>;
};
