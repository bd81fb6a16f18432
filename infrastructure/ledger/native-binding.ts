import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ADDON = join('node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node');

/** Given the addon's path, better-sqlite3 need not load a package to look for it: a quarter of a command's start-up. */
export const nativeBinding = (): string | undefined => {
  // A bundle is CommonJS and knows its own folder; sources under test are run from the project's.
  let folder = typeof __dirname === 'string' ? __dirname : process.cwd();
  for (;;) {
    const path = join(folder, ADDON);
    if (existsSync(path)) return path;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
};
