import { type Chunks, copyOf, NO_CHUNKS, type Piece, readText, writeText } from './content.ts';

/** A file outside any pool. `stamp` changes when the file is put again. */
type MemoryFile = { readonly bytes: number; readonly content: Chunks; readonly stamp: string };

/** What a memory driver copies from and to instead of the file system, standard input and standard output. */
export type MemoryFiles = {
  readonly put: (path: string, bytes: number, pieces: readonly Piece[]) => MemoryFile;
  readonly get: (path: string) => MemoryFile | undefined;
  readonly store: (path: string, bytes: number, content: Chunks) => void;
  /** Up to the end of the file. Throws when there is none. */
  readonly readAt: (path: string, offset: number, length: number) => string;
};

/** Paths under which standard input is put and standard output is found. */
export const STDIN = '/dev/stdin';
export const STDOUT = '/dev/stdout';
/** Where a stream's content lies once it has been read. */
export const STREAM = 'stream:';

/** Numbers of blocks in files, apart from those of any pool: a copy into a pool gets new ones anyway. */
const counting = (): (() => number) => {
  let last = 0;
  return () => --last;
};

export const memoryFiles = (): MemoryFiles => {
  const files = new Map<string, MemoryFile>();
  const freshId = counting();
  const keep = (path: string, bytes: number, content: Chunks): MemoryFile => {
    const file: MemoryFile = { bytes, content, stamp: `memory+${freshId()}` };
    files.set(path, file);
    return file;
  };
  return {
    put: (path, bytes, pieces) => {
      const content = pieces.reduce<Chunks>((chunks, piece) => writeText(chunks, piece, freshId), NO_CHUNKS);
      return keep(path, bytes, content);
    },
    get: (path) => files.get(path),
    store: (path, bytes, content) => {
      keep(path, bytes, copyOf(content, freshId));
    },
    readAt: (path, offset, length) => {
      const file = files.get(path);
      if (!file) throw new Error(`there is no file ${path}`);
      return readText(file.content, offset, Math.max(0, Math.min(length, file.bytes - offset)));
    },
  };
};
