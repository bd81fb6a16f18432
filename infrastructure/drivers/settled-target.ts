import { lstat, realpath, stat } from 'node:fs/promises';
import { type Failure, failure } from '../../domain/failure.ts';
import { errorCode } from './system-failure.ts';

/** Where the bytes will really lie: a symlink is followed, so that it stays one. Anything but a file is not replaced. */
export const settledTarget = async (path: string): Promise<string | Failure> => {
  try {
    await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return path;
    throw error;
  }
  const real = await realpath(path);
  return (await stat(real)).isFile() ? real : failure('D_BAD_INPUT', `${path} exists and is not a regular file`);
};
