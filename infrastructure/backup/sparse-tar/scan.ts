import { BLOCK } from './header.ts';
import type { Extent } from './sparse-map.ts';

const WORDS = BLOCK / 4;
const ZEROS = Buffer.alloc(2 ** 20);

/** Only whole words are looked at: what is left of a file's last block is taken for data unless all before it is a hole. */
const isZero = (words: Int32Array, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (words[at] !== 0) return false;
  return true;
};

const wordsOf = (piece: Buffer): Int32Array => {
  const whole = piece.length - (piece.length % 4);
  if (piece.byteOffset % 4 === 0) return new Int32Array(piece.buffer, piece.byteOffset, whole / 4);
  const copy = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(copy);
  return new Int32Array(copy.buffer, 0, whole / 4);
};

const isHole = (words: Int32Array, piece: Buffer, at: number): boolean => {
  const end = Math.min(at + BLOCK, piece.length);
  if (!isZero(words, at / 4, Math.min(at / 4 + WORDS, words.length))) return false;
  return piece.subarray(end - (end % 4), end).every((byte) => byte === 0);
};

/** Gathers runs of blocks that hold anything but zeros. */
const gatherer = () => {
  const extents: Extent[] = [];
  let from = -1;
  let end = 0;
  const close = (): void => {
    if (from >= 0) extents.push({ offset: from, length: end - from });
    from = -1;
  };
  const data = (offset: number, length: number): void => {
    if (from >= 0 && end !== offset) close();
    if (from < 0) from = offset;
    end = offset + length;
  };
  return { data, close, extents };
};

const eachDataBlock = (piece: Buffer, found: (at: number, length: number) => void): void => {
  const words = wordsOf(piece);
  for (let at = 0; at < piece.length; at += BLOCK)
    if (!isHole(words, piece, at)) found(at, Math.min(BLOCK, piece.length - at));
};

/**
 * The runs of a file's data, found by reading it: a block of 512 bytes is a hole when all of it is zeros. `pieces` come from
 * `start` on, each but the last a multiple of 512 bytes long.
 */
export const scanned = async (pieces: AsyncIterable<Buffer>, start = 0): Promise<readonly Extent[]> => {
  const found = gatherer();
  let offset = start;
  for await (const piece of pieces) {
    if (!piece.equals(ZEROS.subarray(0, piece.length)))
      eachDataBlock(piece, (at, length) => found.data(offset + at, length));
    offset += piece.length;
  }
  found.close();
  return found.extents;
};
