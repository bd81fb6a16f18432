import type { TarFile } from './read.ts';

const ZEROS = Buffer.alloc(2 ** 20);

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(ZEROS.length, left));
}

/** A file's content as a restored volume has it: holes are zeros. The pieces must not be changed. */
export async function* wholeContent({ size, data }: Pick<TarFile, 'size' | 'data'>): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const { offset, bytes } of data) {
    yield* zeros(offset - at);
    yield bytes;
    at = offset + bytes.length;
  }
  yield* zeros(size - at);
}
