import type { Range } from '../image.ts';

const SECTOR = 512;
/** dm-thin's own limits on a pool's blocks, in sectors: 64 KiB to 1 GiB. */
const SMALLEST_BLOCK = 128;
const LARGEST_BLOCK = 2_097_152;

/** A volume of 128 GiB with every second block of 64 KiB in use has as many; more is read as if there were no map. */
const MOST_RUNS = 2 ** 20;

const SUPERBLOCK = /^<superblock [^<>]*\btransaction="(\d{1,15})" [^<>]*\bdata_block_size="(\d{1,8})"[^<>]*>$/;
const DEVICE = /^ {2}<device dev_id="(\d{1,8})" mapped_blocks="(\d{1,12})" [^<>]*>$/;
const RANGE =
  /^ {4}<range_mapping origin_begin="(\d{1,12})" data_begin="\d{1,12}" length="(\d{1,12})" time="\d{1,10}"\/>$/;
const SINGLE = /^ {4}<single_mapping origin_block="(\d{1,12})" data_block="\d{1,12}" time="\d{1,10}"\/>$/;

/** What the kernel says of a thin volume and its pool, in sectors. `last`: the last one that is allocated, -1: none is. */
export type LiveDevice = {
  readonly id: number;
  readonly transaction: number;
  readonly mapped: number;
  readonly last: number;
};

/** A run of blocks. */
type Blocks = { readonly begin: number; length: number };

const blocksOf = (line: string): Blocks | null => {
  const [, begin, length] = RANGE.exec(line) ?? [];
  if (begin !== undefined) return { begin: Number(begin), length: Number(length) };
  const [, block] = SINGLE.exec(line) ?? [];
  return block === undefined ? null : { begin: Number(block), length: 1 };
};

const endOf = (runs: readonly Blocks[]): number => {
  const last = runs.at(-1);
  return last ? last.begin + last.length : 0;
};

/** Adds blocks to runs in order; false where they are none or out of order. */
const added = (runs: Blocks[], { begin, length }: Blocks): boolean => {
  const end = endOf(runs);
  const last = runs.at(-1);
  if (length === 0 || begin < end) return false;
  if (last && begin === end) last.length += length;
  else runs.push({ begin, length });
  return true;
};

/** Sectors of a block; null where the line is none of a pool that has come as far as this one. */
const blockSectors = (line: string, { transaction }: LiveDevice): number | null => {
  const [, seen, size] = SUPERBLOCK.exec(line) ?? [];
  const sectors = Number(size);
  const plausible = sectors >= SMALLEST_BLOCK && sectors <= LARGEST_BLOCK;
  return plausible && Number(seen) >= transaction ? sectors : null;
};

const isDevice = (line: string, { id, mapped }: LiveDevice, sectors: number): boolean => {
  const [, seen, count] = DEVICE.exec(line) ?? [];
  return Number(seen) === id && Number(count) * sectors === mapped;
};

type Part = 'superblock' | 'device' | 'blocks' | 'end' | 'over' | 'wrong';

/**
 * Reads what `thin_dump --dev-id` prints, line by line (thin-provisioning-tools 0.9.0 writes an element a line). `ranges`: what is
 * allocated, in order and joined, in bytes. A map that lacks a block would make a backup that lacks data, so anything unexpected
 * gives null: an unknown line, blocks out of order, and whatever does not agree with what the kernel says of the device, which
 * also finds a dump of an older state. Keeps at most so many runs; with more there is no map.
 */
export const thinDumpReader = (device: LiveDevice, most = MOST_RUNS) => {
  const runs: Blocks[] = [];
  let part: Part = 'superblock';
  let sectors = 0;
  const mappedAsLive = (): boolean =>
    runs.reduce((sum, { length }) => sum + length, 0) * sectors === device.mapped &&
    endOf(runs) * sectors - 1 === device.last;
  const blocksOrEnd = (line: string): Part => {
    if (line === '  </device>') return mappedAsLive() ? 'end' : 'wrong';
    const blocks = blocksOf(line);
    return blocks && added(runs, blocks) && runs.length <= most ? 'blocks' : 'wrong';
  };
  const next: Readonly<Record<Part, (line: string) => Part>> = {
    superblock: (line) => {
      sectors = blockSectors(line, device) ?? 0;
      return sectors > 0 ? 'device' : 'wrong';
    },
    device: (line) => (isDevice(line, device, sectors) ? 'blocks' : 'wrong'),
    blocks: blocksOrEnd,
    end: (line) => (line === '</superblock>' ? 'over' : 'wrong'),
    over: () => 'wrong',
    wrong: () => 'wrong',
  };
  return {
    line: (text: string): void => {
      part = next[part](text);
      if (part === 'wrong') runs.length = 0;
    },
    ranges: (): readonly Range[] | null => {
      if (part !== 'over') return null;
      const bytes = sectors * SECTOR;
      return runs.map(({ begin, length }) => ({ offset: begin * bytes, length: length * bytes }));
    },
  };
};
