import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const fsyncDirectory = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** Directories that are missing, each with mode 0700 whatever the umask says, and each entry on the disk. */
const makeDirectory = (path: string): void => {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    chmodSync(made, 0o700);
    fsyncDirectory(dirname(made));
    if (made === resolve(first)) return;
  }
};

/**
 * An empty file that only its owner may read. It has its final mode before SQLite writes a byte into it: -wal and -shm
 * inherit that mode. A crash right after leaves the empty file, which the next `create` goes on with.
 */
export const makeFile = (file: string): void => {
  const directory = dirname(resolve(file));
  makeDirectory(directory);
  const handle = openSync(file, 'a', 0o600);
  chmodSync(file, 0o600);
  fsyncSync(handle);
  closeSync(handle);
  fsyncDirectory(directory);
};
