import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

const CHUNK = 64 * 1024;

/** A pipe that is not ready yet is asked again a little later: Node opens some of them without blocking. */
const readSome = (fd: number, chunk: Buffer): number => {
  for (;;) {
    try {
      return readSync(fd, chunk, 0, CHUNK, null);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
};

const readUpTo = (fd: number, most: number): Buffer | null => {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = readSome(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
    if (size > most) return null;
  }
};

const tooLarge = (path: string, most: number): Failure => failure('D_BAD_INPUT', `${path} has more than ${most} bytes`);

/**
 * The bytes of a file somebody names, `-` for standard input, at most `most` of them. Errors: D_NOT_FOUND, and D_BAD_INPUT
 * for one that is too large.
 */
export const readInput = (path: string, most: number): Result<Buffer, Failure> => {
  const fd = path === '-' ? 0 : null;
  let file = fd;
  try {
    file ??= openSync(path, 'r');
    if (fstatSync(file).isDirectory()) return err(failure('D_BAD_INPUT', `${path} is a directory`));
    const bytes = readUpTo(file, most);
    return bytes ? ok(bytes) : err(tooLarge(path, most));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return err(failure('D_NOT_FOUND', `${path === '-' ? 'standard input' : path} cannot be read`, { cause }));
  } finally {
    if (fd === null && file !== null) closeSync(file);
  }
};
