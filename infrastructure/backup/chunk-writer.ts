import { type ChunkName, nameOfChunk } from './chunk-name.ts';
import type { MemberWriter, OuterArchive } from './outer-archive.ts';
import type { Seal, Seals } from './seal.ts';

/** Bytes of a stream that one container takes, before encryption; the last one takes what is left. */
export const CHUNK_BYTES = 100 * 2 ** 20;

/** Where the chunks of a backup go, and under which keys. */
export type ChunkRoom = {
  readonly outer: OuterArchive;
  readonly seals: Seals;
  readonly backupId: string;
  readonly passphrase: string;
  readonly chunkBytes: number;
};

/** The container's passphrase: what it is, and that of the backup (spec: backup-format 3). */
const secretOf = ({ backupId, passphrase }: Pick<ChunkRoom, 'backupId' | 'passphrase'>, chunk: ChunkName): string =>
  `${backupId}!${nameOfChunk(chunk)}!${passphrase}`;

const chunkOf = (path: string, number: number): ChunkName => ({ path, number, kind: 'chunk' });

/** The key of a file's first chunk will be wanted soon. */
export const expectFile = (room: ChunkRoom, path: string): void => room.seals.expect(secretOf(room, chunkOf(path, 0)));

type Open = { readonly seal: Seal; readonly member: MemberWriter; left: number };

const begun = async (room: ChunkRoom, path: string, number: number): Promise<Open> => {
  const chunk = chunkOf(path, number);
  const seal = await room.seals.take(secretOf(room, chunk));
  const member = await room.outer.member(`${nameOfChunk(chunk)}.enc`);
  await member.write(seal.head);
  return { seal, member, left: room.chunkBytes };
};

const ended = async ({ seal, member }: Open): Promise<void> => {
  await member.write(seal.end());
  await member.end();
};

/**
 * Writes a stream as the chunks of one file and gives their number, at least one; `counting` follows. Where the stream breaks off, its last chunk
 * is ended all the same: a reader then meets a file that is cut off, where it would pass over one that is missing.
 */
export const writeChunks = async (
  room: ChunkRoom,
  path: string,
  pieces: AsyncIterable<Buffer>,
  counting: { chunks: number } = { chunks: 0 },
): Promise<number> => {
  const begin = () => begun(room, path, counting.chunks++);
  let open: Open | null = null;
  const put = async (piece: Buffer): Promise<void> => {
    open ??= await begin();
    const part = piece.subarray(0, open.left);
    await open.member.write(open.seal.update(part));
    open.left -= part.length;
    if (open.left < room.chunkBytes / 2) room.seals.expect(secretOf(room, chunkOf(path, counting.chunks)));
    if (open.left === 0) {
      await ended(open);
      open = null;
    }
    if (part.length < piece.length) await put(piece.subarray(part.length));
  };
  try {
    for await (const piece of pieces) await put(piece);
  } finally {
    if (counting.chunks === 0) open = await begin();
    if (open) await ended(open);
  }
  return counting.chunks;
};
