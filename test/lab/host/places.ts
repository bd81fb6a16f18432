import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: found from here by its package.json, since this file may run from inside a bundle. */
const rootAbove = (dir: string): string => (existsSync(join(dir, 'package.json')) ? dir : rootAbove(dirname(dir)));

export const ROOT = process.env['LAB_ROOT'] ?? rootAbove(dirname(fileURLToPath(import.meta.url)));
