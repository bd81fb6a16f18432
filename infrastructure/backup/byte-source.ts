/** Bytes that arrive in pieces of any size, taken in the sizes that a format asks for. */
export type ByteSource = {
  /** Exactly `count` bytes, or null when the stream ends before the first of them. Throws `Truncated` when it ends among them. */
  readonly take: (count: number) => Promise<Buffer | null>;
  /** The next `count` bytes in pieces, without gathering them. Throws `Truncated`. */
  readonly stream: (count: number) => AsyncGenerator<Buffer>;
  readonly skip: (count: number) => Promise<void>;
  /** Whatever is left. */
  readonly rest: () => AsyncGenerator<Buffer>;
};

/** A stream ended where its format promises more. */
export class Truncated extends Error {
  constructor(missing: number) {
    super(`it ends ${missing} bytes too early`);
  }
}

const MOST_AT_ONCE = 2 ** 20;

export const byteSource = (pieces: AsyncIterable<Buffer>): ByteSource => {
  const iterator = pieces[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  /** At most `most` bytes of what is there; empty at the end. */
  const some = async (most: number): Promise<Buffer> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done) return rest;
      rest = next.value;
    }
    const piece = rest.subarray(0, most);
    rest = rest.subarray(piece.length);
    return piece;
  };
  async function* stream(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      const piece = await some(left);
      if (piece.length === 0) throw new Truncated(left);
      left -= piece.length;
      yield piece;
    }
  }
  const take = async (count: number): Promise<Buffer | null> => {
    if (rest.length >= count) return some(count);
    const first = await some(count);
    if (first.length === 0) return count === 0 ? first : null;
    const pieces: Buffer[] = [first];
    for await (const piece of stream(count - first.length)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  const skip = async (count: number): Promise<void> => {
    for await (const _piece of stream(count));
  };
  async function* all(): AsyncGenerator<Buffer> {
    for (let piece = await some(MOST_AT_ONCE); piece.length > 0; piece = await some(MOST_AT_ONCE)) yield piece;
  }
  return { take, stream, skip, rest: all };
};
