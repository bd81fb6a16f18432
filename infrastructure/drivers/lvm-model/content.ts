/** Size of a thin pool's chunk: what is allocated, shared and freed as one. */
export const CHUNK = 64 * 1024;

const ZERO = '\0';

/**
 * The content of one allocated chunk, as characters of one byte each; a text shorter than a chunk is followed by zeros.
 * The same id at two places means that they share the chunk.
 */
export type Block = { readonly id: number; readonly text: string };

/** What is allocated of a disk, by the chunk's number. Never changed in place: a snapshot shares the whole map. */
export type Chunks = ReadonlyMap<number, Block>;

export const NO_CHUNKS: Chunks = new Map();

/** Text at an offset of something that is otherwise left alone. */
export type Piece = { readonly offset: number; readonly text: string };

/** Reads as zeros where nothing is allocated. */
export const readText = (chunks: Chunks, offset: number, length: number): string => {
  const parts: string[] = [];
  const end = offset + length;
  for (let at = offset; at < end; ) {
    const inChunk = at % CHUNK;
    const take = Math.min(CHUNK - inChunk, end - at);
    const part = (chunks.get((at - inChunk) / CHUNK)?.text ?? '').slice(inChunk, inChunk + take);
    parts.push(part, ZERO.repeat(take - part.length));
    at += take;
  }
  return parts.join('');
};

const spliced = (old: string, at: number, piece: string): string =>
  old.slice(0, at).padEnd(at, ZERO) + piece + old.slice(at + piece.length);

/** The chunks after a write. Every chunk written to gets a new id: whoever shared it keeps the old one. */
export const writeText = (chunks: Chunks, { offset, text }: Piece, freshId: () => number): Chunks => {
  const written = new Map(chunks);
  for (let done = 0; done < text.length; ) {
    const at = offset + done;
    const inChunk = at % CHUNK;
    const index = (at - inChunk) / CHUNK;
    const part = text.slice(done, done + CHUNK - inChunk);
    written.set(index, { id: freshId(), text: spliced(written.get(index)?.text ?? '', inChunk, part) });
    done += part.length;
  }
  return written;
};

const ONLY_ZEROS = /^\0*$/;

/** The same content in chunks of its own, leaving out those that are all zeros, as a sparse copy does. */
export const copyOf = (chunks: Chunks, freshId: () => number): Chunks => {
  const copied = new Map<number, Block>();
  for (const [index, { text }] of chunks) {
    if (!ONLY_ZEROS.test(text)) copied.set(index, { id: freshId(), text });
  }
  return copied;
};

/** Only what lies before `bytes`, which is a whole number of chunks. */
export const cutAt = (chunks: Chunks, bytes: number): Chunks =>
  new Map([...chunks].filter(([index]) => index * CHUNK < bytes));

/** Chunks in use, shared ones counted once. */
export const countBlocks = (disks: Iterable<Chunks>): number => {
  const ids = new Set<number>();
  for (const chunks of disks) {
    for (const { id } of chunks.values()) ids.add(id);
  }
  return ids.size;
};
