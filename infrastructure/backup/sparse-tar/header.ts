/** Size of a tar block, in bytes. */
export const BLOCK = 512;

/** Larger than any volume: what is beyond is damage, and hashing it would never end. */
export const LARGEST = 2 ** 46;

/** Something that no tar archive has. */
export class BadTar extends Error {}

/** A header block as it stands. `size`: bytes stored after it. */
export type TarHeader = {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly block: Buffer;
};

const textAt = (block: Buffer, from: number, length: number): string => {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

/** A number field: octal digits, or base 256 when the top bit of the first byte is set. */
export const numberAt = (block: Buffer, from: number, length: number): number => {
  const first = block[from] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (const byte of block.subarray(from + 1, from + length)) value = value * 256 + byte;
    if (value > LARGEST) throw new BadTar('a number in its tar header is too large');
    return value;
  }
  const text = textAt(block, from, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new BadTar('a number in its tar header is none');
  const value = text === '' ? 0 : Number.parseInt(text, 8);
  if (value > LARGEST) throw new BadTar('a number in its tar header is too large');
  return value;
};

const CHECKSUM_AT = 148;

const checksumHolds = (block: Buffer): boolean => {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= CHECKSUM_AT && index < CHECKSUM_AT + 8 ? 0x20 : byte;
  return sum === numberAt(block, CHECKSUM_AT, 8);
};

/** A header block, or null for one of zeros, two of which end an archive. Throws `BadTar`. */
export const readHeader = (block: Buffer): TarHeader | null => {
  if (block.every((byte) => byte === 0)) return null;
  if (!checksumHolds(block)) throw new BadTar('the checksum of a tar header is wrong');
  const name = textAt(block, 0, 100);
  // Only POSIX archives have a prefix; old GNU ones keep other things there.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textAt(block, 345, 155) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] ?? 0),
    size: numberAt(block, 124, 12),
    block,
  };
};

/** Bytes that fill the last block of so many. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
