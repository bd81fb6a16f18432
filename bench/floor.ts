import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';

const BLOCK = Buffer.alloc(4096, 'x');

/** The least that a durable append costs on this file system: 4 KiB at the end of a file, and fdatasync. */
export const openFloor = (file: string): { readonly append: () => void; readonly close: () => void } => {
  const handle = openSync(file, 'w');
  let end = 0;
  const append = (): void => {
    writeSync(handle, BLOCK, 0, BLOCK.length, end);
    fdatasyncSync(handle);
    end += BLOCK.length;
  };
  return { append, close: () => closeSync(handle) };
};
