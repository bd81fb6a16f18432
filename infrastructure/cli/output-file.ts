import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { failureOf } from '../drivers/system-failure.ts';
import { out } from './output.ts';

/** Taking its name would destroy a device or a pipe, and cannot be done to a directory. */
const isNoFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === false;

const synced = (dir: string): void => {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** The draft holds all of it and is on the disk before it takes the name. */
const replace = (path: string, text: string): void => {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
  const handle = openSync(draft, 'wx', 0o600);
  try {
    try {
      fchmodSync(handle, 0o600);
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, path);
  } catch (error) {
    unlinkSync(draft);
    throw error;
  }
  synced(dirname(path));
};

/**
 * Writes what `-o FILE` asks for, whole or not at all, readable by its owner only: it names people and machines. `-` and
 * no file are stdout.
 */
export const writeOutput = (file: string | undefined, text: string): Result<null, Failure> => {
  if (file === undefined || file === '-') {
    out(text);
    return ok(null);
  }
  try {
    if (file === '' || isNoFile(file)) {
      return err(failure('D_USAGE', `-o ${JSON.stringify(file)} does not name a regular file`));
    }
    replace(file, text);
    return ok(null);
  } catch (error) {
    return err(failureOf(error, `cannot write ${file}`));
  }
};
