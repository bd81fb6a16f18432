import { type FileHandle, open } from 'node:fs/promises';

/** A run of bytes: offset and length. */
export type Range = { readonly offset: number; readonly length: number };

/**
 * What a disk holds, to be read in pieces. `ranges`: in order, everything outside of them is zeros; null: nobody can tell
 * without reading all of it.
 */
export type Image = {
  readonly bytes: number;
  readonly ranges: readonly Range[] | null;
  /** why nobody can tell, where it could have been otherwise; for people */
  readonly unmapped?: string;
  /** Another one when somebody has written to it; left out for what nobody can write to. */
  readonly stamp?: string;
  /** Keeps the device or file open until it is closed. Rejects with the system's error. */
  readonly open: () => Promise<OpenImage>;
};

export type OpenImage = {
  /** The bytes of a range. Throws the system's error, or `ImageEnded` where it is shorter than it was. */
  readonly read: (range: Range) => AsyncGenerator<Buffer>;
  readonly close: () => Promise<void>;
};

/** It was promised that nobody changes it. */
class ImageEnded extends Error {
  constructor(at: number) {
    super(`it ends at byte ${at}, too early`);
  }
}

/** Larger ones cost the kernel more to clear than they save in calls, smaller ones the other way round (bench/backup). */
const PIECE = 2 ** 19;

async function* piecesOf(handle: FileHandle, { offset, length }: Range): AsyncGenerator<Buffer> {
  for (let at = offset; at < offset + length; ) {
    // Memory of its own: whoever looks at it as words needs it aligned, and nobody else waits for it to be freed.
    const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, offset + length - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new ImageEnded(at);
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A regular file or a block device. */
export const imageAt = (path: string, bytes: number, ranges: readonly Range[] | null): Image => ({
  bytes,
  ranges,
  open: async () => {
    const handle = await open(path, 'r');
    return { read: (range) => piecesOf(handle, range), close: () => handle.close() };
  },
});
