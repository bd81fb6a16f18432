import { byteSource } from './byte-source.ts';
import { decompressed } from './decompress.ts';
import { isOpenssl, opensslDecrypted } from './openssl-stream.ts';
import { BadTar, BLOCK, numberAt, readHeader } from './sparse-tar/header.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);

async function* followedBy(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}

/** A volume as tar wrote it: format 2 encrypts or packs each one by itself, and each shows which. */
export async function* volumeContent(pieces: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const source = byteSource(pieces);
  const head = await source.take(16);
  if (!head) throw new BadTar('a volume of it is empty');
  const all = followedBy(head, source.rest());
  if (isOpenssl(head)) yield* opensslDecrypted(all, passphrase);
  else yield* decompressed(head.subarray(0, 2).equals(GZIP) ? 'gzip' : null, all);
}

/** Where old GNU tar writes at which byte of the file a further volume goes on. */
const OFFSET_AT = 369;

/** A file that goes on in this volume: what is left of it, and of how much. */
type Continued = { readonly name: string; readonly size: number; readonly whole: number };

const continuedIn = (block: Buffer): Continued | null => {
  if (block[156] !== 'M'.charCodeAt(0)) return null;
  const header = readHeader(block);
  if (!header) return null;
  return { name: header.name, size: header.size, whole: header.size + numberAt(block, OFFSET_AT, 12) };
};

/** A directory is archived as `vm1/.`, and its files as `vm1/./NAME`. */
const isWithin = (path: string, name: string): boolean =>
  path.endsWith('/.') ? name.startsWith(path) : name === path.slice(0, 100);

/**
 * The volumes of a tar archive as one archive: the header with which a file goes on in the next volume is taken out (spec:
 * backup-format 10). Nothing but these headers tells a volume from another one's, so they must fit. Throws `BadTar`.
 */
export async function* multiVolume(
  path: string,
  volumes: AsyncIterable<AsyncIterable<Buffer>>,
): AsyncGenerator<Buffer> {
  let number = 0;
  let last: Continued | null = null;
  for await (const volume of volumes) {
    const source = byteSource(volume);
    const block = number === 0 ? null : await source.take(BLOCK);
    const continued: Continued | null = block && continuedIn(block);
    if (continued && !isWithin(path, continued.name))
      throw new BadTar(`volume ${number} is of ${JSON.stringify(continued.name.slice(0, 100))}`);
    if (continued && last?.name === continued.name && (last.whole !== continued.whole || last.size <= continued.size))
      throw new BadTar(`volume ${number} does not go on where the one before ends`);
    if (block && !continued) yield block;
    last = continued;
    yield* source.rest();
    number++;
  }
}
