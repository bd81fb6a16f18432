import type { ByteSource } from '../byte-source.ts';
import { BadTar, BLOCK, LARGEST, numberAt } from './header.ts';

/** A run of data in a file: offset and length in bytes. What lies between the runs is zeros. */
export type Extent = { readonly offset: number; readonly length: number };

/** A map and how many bytes of the member it took. */
export type SparseMap = { readonly extents: readonly Extent[]; readonly stored: number };

/** A volume of 1 TiB with every second chunk of 64 KiB written has half as many. */
const MOST_EXTENTS = 2 ** 24;

/** Extents in order, without overlap, inside the file, as long as the data that is stored for them. Throws `BadTar`. */
export const checkMap = (extents: readonly Extent[], realSize: number, dataSize: number): void => {
  let end = 0;
  let total = 0;
  for (const { offset, length } of extents) {
    if (offset < end || offset + length > realSize)
      throw new BadTar('its sparse map is out of order or beyond its end');
    end = offset + length;
    total += length;
  }
  if (total !== dataSize) throw new BadTar(`its sparse map speaks of ${total} bytes, ${dataSize} are stored`);
};

const AT_ONCE = 21;
const IN_HEADER = 4;
const ENTRY = 24;

const oldEntries = (block: Buffer, from: number, count: number): readonly Extent[] =>
  Array.from({ length: count }, (_, index) => from + index * ENTRY)
    .filter((at) => block[at] !== 0 || block[at + 12] !== 0)
    .map((at) => ({ offset: numberAt(block, at, 12), length: numberAt(block, at + 12, 12) }));

/** The map of a member of type S (GNU tar's own format): in its header, and in blocks after it as long as a flag says so. */
export const oldGnuMap = async (
  header: Buffer,
  source: ByteSource,
): Promise<SparseMap & { readonly realSize: number }> => {
  const extents = [...oldEntries(header, 386, IN_HEADER)];
  let more = header[482] !== 0;
  while (more) {
    const block = await source.take(BLOCK);
    if (!block) throw new BadTar('its sparse map is cut off');
    extents.push(...oldEntries(block, 0, AT_ONCE));
    if (extents.length > MOST_EXTENTS) throw new BadTar('its sparse map is too long');
    more = block[504] !== 0;
  }
  // The blocks of the map come before the member's data and are not counted in its size.
  return { extents, stored: 0, realSize: numberAt(header, 483, 12) };
};

const decimal = (text: string): number => {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= LARGEST)) throw new BadTar('a number in its sparse map is none');
  return value;
};

const pairs = (numbers: readonly string[]): readonly Extent[] => {
  if (numbers.length % 2 !== 0) throw new BadTar('its sparse map has an offset without a length');
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: decimal(numbers[2 * index] ?? ''),
    length: decimal(numbers[2 * index + 1] ?? ''),
  }));
};

/** PAX sparse 0.1: `GNU.sparse.map` holds "offset,length,offset,length". */
export const mapOfText = (text: string): SparseMap => ({
  extents: text === '' ? [] : pairs(text.split(',')),
  stored: 0,
});

/** PAX sparse 0.0: one `GNU.sparse.offset` and one `GNU.sparse.numbytes` for each extent, in order. */
export const mapOfRecords = (numbers: readonly string[]): SparseMap => ({ extents: pairs(numbers), stored: 0 });

/** PAX sparse 1.0: the member's data begins with the map as lines of digits, filled up to whole blocks. */
export const mapInData = async (source: ByteSource): Promise<SparseMap> => {
  const numbers: string[] = [];
  let line = '';
  let stored = 0;
  let wanted = 1;
  while (numbers.length < wanted) {
    const block = await source.take(BLOCK);
    if (!block) throw new BadTar('its sparse map is cut off');
    stored += BLOCK;
    const lines = `${line}${block.toString('latin1')}`.split('\n');
    line = lines.pop() ?? '';
    if (line.length > BLOCK + 16) throw new BadTar('its sparse map is none');
    for (const one of lines) numbers.push(one);
    if (numbers.length > 0) wanted = 1 + 2 * decimal(numbers[0] ?? '');
    if (wanted > 1 + 2 * MOST_EXTENTS) throw new BadTar('its sparse map is too long');
  }
  return { extents: pairs(numbers.slice(1, wanted)), stored };
};
