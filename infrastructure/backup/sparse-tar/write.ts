import { BLOCK, padding } from './header.ts';
import type { Extent } from './sparse-map.ts';

type Field = { readonly name: string; readonly type: '0' | 'x'; readonly size: number; readonly mode: number };

const CHECKSUM_AT = 148;

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;

/** A ustar header block. `size` below 8 GiB; `name` of at most 100 bytes. Owner and times are zeros, as stock writes them. */
export const headerBlock = ({ name, type, size, mode }: Field): Buffer => {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length > 100) throw new RangeError(`${name} is too long for a tar header`);
  const block = Buffer.alloc(BLOCK);
  bytes.copy(block);
  block.write(`${octal(mode, 7)}${octal(0, 7)}${octal(0, 7)}${octal(size, 11)}${octal(0, 11)}`, 100, 'latin1');
  block.write(`        ${type}`, CHECKSUM_AT, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, CHECKSUM_AT, 'latin1');
  return block;
};

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(padding(bytes.length))]);

/** "LENGTH KEY=VALUE\n", where the length counts itself. */
const record = (key: string, value: string): string => {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + `${rest}`.length;
  if (length !== rest + `${length}`.length) length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
};

/** What a header's size field cannot hold any more: 8^11 bytes. */
const TOO_LARGE = 8 ** 11;

/**
 * The map as stock's tarwriter has it: runs of data, and an empty one at the end where the file ends in a hole, so that the
 * last run always ends where the file does.
 */
const completed = (extents: readonly Extent[], size: number): readonly Extent[] => {
  const last = extents.at(-1);
  return last && last.offset + last.length === size ? extents : [...extents, { offset: size, length: 0 }];
};

const mapBlocks = (extents: readonly Extent[]): Buffer => {
  const lines = [`${extents.length}\n`];
  for (const { offset, length } of extents) lines.push(`${offset}\n${length}\n`);
  return padded(Buffer.from(lines.join(''), 'latin1'));
};

/** A file with holes. `extents`: its data, in order and without overlap. `number` only makes the hidden name unique. */
type SparseFile = {
  readonly name: string;
  readonly size: number;
  readonly extents: readonly Extent[];
  readonly number?: number;
};

const hiddenName = (name: string, number: number): string => {
  const slash = name.lastIndexOf('/');
  return `${name.slice(0, Math.max(0, slash))}/GNUSparseFile.${number}/${name.slice(slash + 1)}`;
};

/** Where a sparse member's data goes: `head` before it, `tail` after it. `stored`: bytes of data between the two. */
type Frame = { readonly head: Buffer; readonly stored: number; readonly tail: Buffer };

const endOf = (dataLength: number): Buffer => Buffer.alloc(padding(dataLength) + 2 * BLOCK);

/**
 * An archive of one sparse member, PAX GNU.sparse 1.0, byte for byte as stock's tarwriter writes it (spec: backup-format 4.1),
 * except that data of an odd length is filled up to a block, as tar wants it.
 */
export const sparseFrame = ({ name, size, extents, number = 0 }: SparseFile): Frame => {
  const map = mapBlocks(completed(extents, size));
  const stored = extents.reduce((sum, { length }) => sum + length, 0);
  const total = map.length + stored;
  const records = [
    record('GNU.sparse.major', '1'),
    record('GNU.sparse.minor', '0'),
    record('GNU.sparse.name', name),
    record('GNU.sparse.realsize', `${size}`),
    ...(total >= TOO_LARGE ? [record('size', `${total}`)] : []),
  ];
  const pax = Buffer.from(records.join(''), 'utf8');
  const head = Buffer.concat([
    headerBlock({ name: '././@PaxHeader', type: 'x', size: pax.length, mode: 0 }),
    padded(pax),
    headerBlock({ name: hiddenName(name, number), type: '0', size: total >= TOO_LARGE ? 0 : total, mode: 0o644 }),
    map,
  ]);
  return { head, stored, tail: endOf(stored) };
};

/** An archive of one small ordinary file. */
export const plainArchive = (name: string, content: Buffer): Buffer =>
  Buffer.concat([headerBlock({ name, type: '0', size: content.length, mode: 0o644 }), content, endOf(content.length)]);
