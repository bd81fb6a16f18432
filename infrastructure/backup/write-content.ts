import type { Compression } from '../../domain/backup/archive.ts';
import type { Image } from '../drivers/image.ts';
import { FilterFailed, throughFilter } from '../process/filter.ts';
import { type ChunkRoom, writeChunks } from './chunk-writer.ts';
import { contentDigest } from './content-digest.ts';
import { type HomeTree, homeArchive, isHomeTree, type TreeEnd } from './home-tree.ts';
import { sparseArchive } from './sparse-tar/archive.ts';
import { plainArchive } from './sparse-tar/write.ts';

/** What a file of a backup is made of: an image, something small, or dom0's home. */
export type Content = Image | Buffer | HomeTree;

/** How streams are written, whatever is in them. */
export type Streaming = {
  readonly compression: Compression;
  /** Hears of each piece that is written, and of 0 bytes while there is other work; throws to stop. */
  readonly onBytes: (count: number) => void;
  /** Hears what a person should know of a file that is whole. */
  readonly onNote?: (note: string) => void;
  /** stops the compressor */
  readonly signal: AbortSignal;
};

const COMPRESSORS = { gzip: ['gzip', '-c'], zstd: ['zstd', '-q', '-c', '-T0'] } as const;

type Squeezing = Pick<Streaming, 'compression' | 'signal'>;

const compressed = ({ compression, signal }: Squeezing, pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> =>
  compression === 'none' ? pieces : throughFilter(COMPRESSORS[compression], pieces, signal);

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

type Read = { readonly chunks: number; readonly bytes: number; readonly stored: number; readonly digest: string };

export const writeSmall = async (
  room: ChunkRoom,
  path: string,
  content: Buffer,
  squeezing: Squeezing,
): Promise<Read> => {
  const chunks = await writeChunks(room, path, compressed(squeezing, once(plainArchive(path, content))));
  const digest = contentDigest();
  digest.add(0, content);
  return { chunks, bytes: content.length, stored: content.length, digest: digest.of(content.length) };
};

/** A disk that cannot be read, in contrast to a backup that cannot be written. */
export class SourceFailed extends Error {
  readonly chunks: number;
  constructor(message: string, chunks: number) {
    super(message);
    this.chunks = chunks;
  }
}

const writeImage = async (room: ChunkRoom, path: string, image: Image, backup: Streaming): Promise<Read> => {
  const digest = contentDigest();
  let stored = 0;
  const broken: { by: Error | null } = { by: null };
  const source = async function* (): AsyncGenerator<Buffer> {
    const add = (offset: number, piece: Buffer): void => {
      stored += piece.length;
      digest.add(offset, piece);
    };
    const pieces = sparseArchive(image, path, add)[Symbol.asyncIterator]();
    for (;;) {
      const next = await pieces.next().catch((error: unknown) => {
        broken.by = error instanceof Error ? error : new Error(String(error));
        throw error;
      });
      if (next.done) return;
      backup.onBytes(next.value.length);
      yield next.value;
    }
  };
  const counted = { chunks: 0 };
  try {
    const chunks = await writeChunks(room, path, compressed(backup, source()), counted);
    return { chunks, bytes: image.bytes, stored, digest: digest.of(image.bytes) };
  } catch (error) {
    if (!broken.by) throw error;
    throw new SourceFailed(broken.by.message, counted.chunks);
  }
};

const writeHome = async (room: ChunkRoom, path: string, tree: HomeTree, backup: Streaming) => {
  const digest = contentDigest();
  let bytes = 0;
  const heard: { end: TreeEnd | null; broken: Error | null } = { end: null, broken: null };
  const source = async function* (): AsyncGenerator<Buffer> {
    try {
      for await (const piece of homeArchive(tree, (end) => (heard.end = end), backup.signal)) {
        digest.add(bytes, piece);
        bytes += piece.length;
        backup.onBytes(piece.length);
        yield piece;
      }
    } catch (error) {
      if (error instanceof FilterFailed) heard.broken = error;
      throw error;
    }
  };
  const counted = { chunks: 0 };
  try {
    const chunks = await writeChunks(room, path, compressed(backup, source()), counted);
    for (const note of heard.end?.notes ?? []) backup.onNote?.(note);
    return { chunks, bytes, stored: bytes, digest: digest.of(bytes), problem: heard.end?.problem ?? null };
  } catch (error) {
    if (!heard.broken || backup.signal.aborted) throw error;
    throw new SourceFailed(heard.broken.message, counted.chunks);
  }
};

/** Writes one file under its path, and says what it was. Throws `SourceFailed`, and whatever is wrong with the backup. */
export const writeContent = (room: ChunkRoom, path: string, content: Content, backup: Streaming) => {
  if (Buffer.isBuffer(content)) return writeSmall(room, path, content, backup);
  return isHomeTree(content) ? writeHome(room, path, content, backup) : writeImage(room, path, content, backup);
};
