import { type ByteSource, byteSource, Truncated } from '../byte-source.ts';
import { BadTar, BLOCK, LARGEST, padding, readHeader, type TarHeader } from './header.ts';
import { MOST_PAX, type PaxRecords, parsePax, paxValue } from './pax.ts';
import { checkMap, type Extent, mapInData, mapOfRecords, mapOfText, oldGnuMap, type SparseMap } from './sparse-map.ts';

/** A piece of a file's content and where it belongs; between the pieces are zeros. */
type Piece = { readonly offset: number; readonly bytes: Buffer };

/**
 * A file of an archive. `size` is its real size in bytes, known before any data: whoever restores makes the volume first.
 * `data` is to be read before the next member is asked for; what is left of it is skipped.
 */
export type TarFile = {
  readonly name: string;
  readonly size: number;
  /** where `data` lies; between these are zeros */
  readonly extents: readonly Extent[];
  readonly data: AsyncGenerator<Piece>;
};

const PLAIN = new Set(['0', '\0', '7']);

type Extra = { pax: PaxRecords; longName: string | null };

const textOf = async (source: ByteSource, size: number): Promise<Buffer> => {
  if (size > MOST_PAX) throw new BadTar('an extended tar header is too large');
  const bytes = await source.take(size);
  await source.skip(padding(size));
  if (!bytes) throw new BadTar('an extended tar header is cut off');
  return bytes;
};

const numberOf = (text: string, what: string): number => {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= LARGEST)) throw new BadTar(`${what} in a PAX header is no size`);
  return value;
};

type Layout = { readonly size: number; readonly map: SparseMap };

const sparseRecords = (pax: PaxRecords): readonly string[] =>
  pax.filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes').map(([, value]) => value);

const paxLayout = async (pax: PaxRecords, source: ByteSource): Promise<Layout | null> => {
  const real = paxValue(pax, 'GNU.sparse.realsize') ?? paxValue(pax, 'GNU.sparse.size');
  if (real === undefined) return null;
  const size = numberOf(real, 'GNU.sparse.realsize');
  if (paxValue(pax, 'GNU.sparse.major') === '1') return { size, map: await mapInData(source) };
  const text = paxValue(pax, 'GNU.sparse.map');
  return { size, map: text === undefined ? mapOfRecords(sparseRecords(pax)) : mapOfText(text) };
};

const layoutOf = async (header: TarHeader, pax: PaxRecords, source: ByteSource, stored: number): Promise<Layout> => {
  if (header.type === 'S') {
    const { realSize, ...map } = await oldGnuMap(header.block, source);
    return { size: realSize, map };
  }
  return (
    (await paxLayout(pax, source)) ?? { size: stored, map: { extents: [{ offset: 0, length: stored }], stored: 0 } }
  );
};

async function* dataOf(extents: readonly Extent[], source: ByteSource): AsyncGenerator<Piece> {
  for (const { offset, length } of extents) {
    let at = offset;
    for await (const bytes of source.stream(length)) {
      yield { offset: at, bytes };
      at += bytes.length;
    }
  }
}

async function* fileOf(header: TarHeader, extra: Extra, source: ByteSource): AsyncGenerator<TarFile> {
  const stored = numberOf(paxValue(extra.pax, 'size') ?? `${header.size}`, 'size');
  const { size, map } = await layoutOf(header, extra.pax, source, stored);
  const length = stored - map.stored;
  checkMap(map.extents, size, length);
  const name = paxValue(extra.pax, 'GNU.sparse.name') ?? paxValue(extra.pax, 'path') ?? extra.longName ?? header.name;
  const data = dataOf(map.extents, source);
  yield { name, size, extents: map.extents, data };
  for await (const _left of data);
}

/**
 * Reads past what fills the last block: zeros. Stock's writer leaves them out after an odd size; what is read then is the
 * beginning of the two blocks of zeros that end its archive.
 */
const skipPadding = async (source: ByteSource, size: number): Promise<void> => {
  const fill = padding(size);
  if (fill === 0) return;
  const bytes = await source.take(fill);
  if (bytes?.some((byte) => byte !== 0)) throw new BadTar('something lies where its last block is filled up');
};

/** Takes what a header of headers says about the next file; false for any other. */
const takeExtra = async (header: TarHeader, source: ByteSource, extra: Extra): Promise<boolean> => {
  switch (header.type) {
    case 'x':
      extra.pax = [...extra.pax, ...parsePax(await textOf(source, header.size))];
      return true;
    case 'L':
      extra.longName = (await textOf(source, header.size)).toString('utf8').replace(/\0+$/, '');
      return true;
    case 'K':
    case 'g':
      await textOf(source, header.size);
      return true;
    default:
      return false;
  }
};

/** The next header, or null at the blocks of zeros that end an archive. */
const nextHeader = async (source: ByteSource): Promise<TarHeader | null> => {
  const block = await source.take(BLOCK);
  if (!block) throw new Truncated(2 * BLOCK);
  return readHeader(block);
};

/**
 * The files of a tar archive, one after the other: plain, old GNU sparse (S) and PAX sparse 0.0, 0.1 and 1.0. Directories and
 * links are passed over. Throws `BadTar`, `Truncated`; memory is bounded whatever the archive says.
 */
export async function* tarFiles(pieces: AsyncIterable<Buffer>): AsyncGenerator<TarFile> {
  const source = byteSource(pieces);
  let extra: Extra = { pax: [], longName: null };
  for (let header = await nextHeader(source); header; header = await nextHeader(source)) {
    if (await takeExtra(header, source, extra)) continue;
    if (PLAIN.has(header.type) || header.type === 'S') yield* fileOf(header, extra, source);
    else await source.skip(header.size);
    await skipPadding(source, numberOf(paxValue(extra.pax, 'size') ?? `${header.size}`, 'size'));
    extra = { pax: [], longName: null };
  }
  // To the end, because what does not authenticate there must still be found.
  for await (const _rest of source.rest());
}
