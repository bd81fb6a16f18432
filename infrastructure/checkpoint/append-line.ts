import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { failureOf } from '../drivers/system-failure.ts';

/** A line that a crash cut off must not swallow the next one. */
const isTorn = (file: number): boolean => {
  const stats = fstatSync(file);
  if (!stats.isFile() || stats.size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, stats.size - 1);
  return last[0] !== 0x0a;
};

/** Adds a line to a file, durably; makes the file (mode 0600) when it is missing. */
export const appendLine = (path: string, line: string): Result<null, Failure> => {
  try {
    const file = openSync(path, 'a+', 0o600);
    try {
      writeSync(file, isTorn(file) ? `\n${line}` : line);
      if (fstatSync(file).isFile()) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return ok(null);
  } catch (error) {
    return err(failureOf(error, `${path} cannot be written`));
  }
};
