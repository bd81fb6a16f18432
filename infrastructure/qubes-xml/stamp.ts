import { lstatSync } from 'node:fs';

/** What another file in its place cannot have, and one that was written to has no longer. Null where there is no file. */
export const stampOf = (path: string): string | null => {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.dev}:${stats.ino} ${stats.mtimeNs} ${stats.size}` : null;
};
