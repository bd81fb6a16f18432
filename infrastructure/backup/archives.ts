import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Authentication, digestIn } from './authenticate.ts';
import { type ChunkName, nameOfChunk, parseChunkName } from './chunk-name.ts';
import { decompressed } from './decompress.ts';
import type { BackupHeader } from './header.ts';
import type { Member } from './members.ts';
import { multiVolume, volumeContent } from './multi-volume.ts';
import { opensslDecrypted } from './openssl-stream.ts';
import { BadContainer, type DeriveKey, openContainer } from './scrypt-container.ts';

/** What is needed to open the chunks of a backup. */
export type Keys = {
  readonly header: BackupHeader;
  readonly authentication: Authentication;
  readonly passphrase: string;
  readonly derive?: DeriveKey | undefined;
};

/**
 * An archive inside the backup, cut into chunks. `content` is what the archiver wrote, to be read before the next archive is
 * asked for; it throws where a chunk is missing, damaged, foreign or out of order. `chunks` counts those met so far.
 */
export type InnerArchive = {
  readonly path: string;
  readonly content: AsyncIterable<Buffer>;
  readonly chunks: () => number;
};

type Chunk = { readonly name: ChunkName; readonly member: Member };

/** Members in order with a look at the next one. Names that no backup has are told and passed over. */
type Cursor = { readonly peek: () => Chunk | null; readonly move: () => Promise<void> };

const cursorOn = (members: AsyncIterator<Member>, version: 2 | 3 | 4, tell: (problem: string) => void): Cursor => {
  let next: Chunk | null = null;
  const move = async (): Promise<void> => {
    for (;;) {
      const step = await members.next();
      if (step.done) {
        next = null;
        return;
      }
      const name = parseChunkName(step.value.name, version);
      if (name) {
        next = { name, member: step.value };
        return;
      }
      tell(`${JSON.stringify(step.value.name.slice(0, 100))} is no part of a backup`);
    }
  };
  return { peek: () => next, move };
};

const MOST_HMAC = 4096;

const gathered = async (data: AsyncIterable<Buffer>): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of data) {
    size += piece.length;
    if (size > MOST_HMAC) throw new BadContainer('its HMAC is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
};

type Counting = { count: number };

const next = (cursor: Cursor, path: string, counting: Counting): Chunk | null => {
  const chunk = cursor.peek();
  if (chunk?.name.path !== path) return null;
  if (chunk.name.kind !== 'chunk') throw new BadContainer(`chunk ${counting.count} is missing, its HMAC is there`);
  if (chunk.name.number !== counting.count)
    throw new BadContainer(
      chunk.name.number < counting.count
        ? `chunk ${chunk.name.number} comes a second time`
        : `chunk ${counting.count} is missing`,
    );
  counting.count++;
  return chunk;
};

const inChunk = (number: number, error: unknown): unknown =>
  error instanceof BadContainer ? new BadContainer(`chunk ${number}: ${error.message}`) : error;

async function* scryptChunks(cursor: Cursor, path: string, keys: Keys, counting: Counting): AsyncGenerator<Buffer> {
  for (let chunk = next(cursor, path, counting); chunk; chunk = next(cursor, path, counting)) {
    const { name, member } = chunk;
    const secret = `${keys.header.backupId}!${nameOfChunk(name)}!${keys.passphrase}`;
    try {
      yield* openContainer(member.data, member.size, secret, keys.derive);
    } catch (error) {
      throw inChunk(name.number, error);
    }
    await cursor.move();
  }
}

/** One chunk as it is stored; what does not authenticate is told after its last piece. */
async function* authenticChunk(
  cursor: Cursor,
  { name, member }: Chunk,
  { authentication, passphrase }: Keys,
): AsyncGenerator<Buffer> {
  if (authentication.by !== 'hmac') throw new BadContainer('a backup of this format is authenticated by HMACs');
  const { path, number } = name;
  const mac = createHmac(authentication.digest, passphrase);
  for await (const piece of member.data) {
    mac.update(piece);
    yield piece;
  }
  await cursor.move();
  const beside = cursor.peek();
  if (beside?.name.path !== path || beside.name.number !== number || beside.name.kind !== 'hmac')
    throw new BadContainer(`chunk ${number}: its HMAC is missing`);
  const wanted = digestIn((await gathered(beside.member.data)).toString('latin1'));
  const made = mac.digest();
  if (!wanted || wanted.length !== made.length || !timingSafeEqual(wanted, made))
    throw new BadContainer(`chunk ${number}: its data does not authenticate`);
  await cursor.move();
}

async function* hmacChunks(cursor: Cursor, path: string, keys: Keys, counting: Counting): AsyncGenerator<Buffer> {
  for (let chunk = next(cursor, path, counting); chunk; chunk = next(cursor, path, counting))
    yield* authenticChunk(cursor, chunk, keys);
}

async function* volumes(
  cursor: Cursor,
  path: string,
  keys: Keys,
  counting: Counting,
): AsyncGenerator<AsyncIterable<Buffer>> {
  for (let chunk = next(cursor, path, counting); chunk; chunk = next(cursor, path, counting))
    yield volumeContent(authenticChunk(cursor, chunk, keys), keys.passphrase);
}

const contentOf = (cursor: Cursor, path: string, keys: Keys, counting: Counting): AsyncIterable<Buffer> => {
  const { header, passphrase } = keys;
  if (header.version === 4) return decompressed(header.filter, scryptChunks(cursor, path, keys, counting));
  if (header.version === 2) return multiVolume(path, volumes(cursor, path, keys, counting));
  const stored = hmacChunks(cursor, path, keys, counting);
  return decompressed(header.filter, header.encrypted ? opensslDecrypted(stored, passphrase) : stored);
};

/** The archives inside a backup, in their order; `tell` hears of members that belong to none. */
export async function* innerArchives(
  members: AsyncIterator<Member>,
  keys: Keys,
  tell: (problem: string) => void,
): AsyncGenerator<InnerArchive> {
  const cursor = cursorOn(members, keys.header.version, tell);
  await cursor.move();
  for (let chunk = cursor.peek(); chunk; chunk = cursor.peek()) {
    const { path } = chunk.name;
    const counting = { count: 0 };
    yield { path, content: contentOf(cursor, path, keys, counting), chunks: () => counting.count };
    // What follows a damaged chunk belongs to the same archive and cannot be used without it.
    while (cursor.peek()?.name.path === path) {
      if (cursor.peek()?.name.kind === 'chunk')
        counting.count = Math.max(counting.count, (cursor.peek()?.name.number ?? 0) + 1);
      await cursor.move();
    }
  }
}
