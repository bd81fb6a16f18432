import type { Range } from '../image.ts';

const SECTOR = 512;
/** dm-thin's own limits on a pool's blocks: 64 KiB to 1 GiB. */
const SMALLEST_BLOCK = 128;
const LARGEST_BLOCK = 2_097_152;

const SUPERBLOCK = /^<superblock [^<>]*\bdata_block_size="(\d{1,8})"[^<>]*>$/;
const DEVICE = /^ {2}<device dev_id="(\d{1,8})" mapped_blocks="(\d{1,12})" [^<>]*>$/;
const RANGE =
  /^ {4}<range_mapping origin_begin="(\d{1,12})" data_begin="\d{1,12}" length="(\d{1,12})" time="\d{1,10}"\/>$/;
const SINGLE = /^ {4}<single_mapping origin_block="(\d{1,12})" data_block="\d{1,12}" time="\d{1,10}"\/>$/;

type Blocks = { readonly begin: number; readonly length: number };

const blocksOf = (line: string): Blocks | null => {
  const [, begin, length] = RANGE.exec(line) ?? [];
  if (begin !== undefined) return { begin: Number(begin), length: Number(length) };
  const [, block] = SINGLE.exec(line) ?? [];
  return block === undefined ? null : { begin: Number(block), length: 1 };
};

const joined = (all: readonly Blocks[]): readonly Blocks[] | null => {
  const runs: { begin: number; length: number }[] = [];
  for (const { begin, length } of all) {
    const last = runs.at(-1);
    const end = last ? last.begin + last.length : 0;
    if (begin < end || length === 0) return null;
    if (last && begin === end) last.length += length;
    else runs.push({ begin, length });
  }
  return runs;
};

const blockBytes = (line: string | undefined): number | null => {
  const sectors = Number(SUPERBLOCK.exec(line ?? '')?.[1]);
  return sectors >= SMALLEST_BLOCK && sectors <= LARGEST_BLOCK ? sectors * SECTOR : null;
};

/**
 * What is allocated of one device, in order and joined, in bytes. Reads what `thin_dump --dev-id` prints, which writes an element a line (thin-provisioning-tools 0.9.0). A map that lacks a block would
 * make a backup that lacks data, so anything unexpected gives null: an unknown line, another device, blocks out of order, or
 * not as many of them as the device says it has.
 */
export const parseThinDump = (text: string, thinId: number): readonly Range[] | null => {
  const [first, device, ...rest] = text.split('\n');
  const [, id, count] = DEVICE.exec(device ?? '') ?? [];
  const bytes = blockBytes(first);
  const end = rest.indexOf('  </device>');
  if (bytes === null || id === undefined || Number(id) !== thinId || end < 0) return null;
  if (rest.slice(end + 1).join('\n') !== '</superblock>\n') return null;
  const blocks = rest.slice(0, end).map(blocksOf);
  if (!blocks.every((one) => one !== null)) return null;
  const runs = joined(blocks);
  const mapped = runs?.reduce((sum, { length }) => sum + length, 0);
  if (!runs || mapped !== Number(count)) return null;
  return runs.map(({ begin, length }) => ({ offset: begin * bytes, length: length * bytes }));
};
