import { open } from 'node:fs/promises';

/** Returns once the file's data or the directory's entries would survive a power cut. */
export const sync = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
