import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const MODULES_STAMP = join(ROOT, 'node_modules', '.domtrail-stamp');
export const DIST_STAMP = join(ROOT, 'dist', '.domtrail-stamp');

const ROOMS = ['bin', 'domain', 'infrastructure', 'migrations', 'projections'];
const IS_SOURCE = /\.(ts|mjs|sql)$/;

const sourcesUnder = (folder) =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesUnder(path);
    return IS_SOURCE.test(entry.name) ? [path] : [];
  });

const digest = (paths, salt) => {
  const hash = createHash('sha256').update(salt);
  for (const path of paths) hash.update(`\0${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex');
};

/** The addon is compiled for one ABI, so another Node makes the same node_modules stale. */
export const modulesStamp = () =>
  digest(['package-lock.json'], `${process.platform} ${process.arch} ${process.versions.modules}`);

/** Content, not times: a checkout or a clone moves every mtime. */
export const distStamp = () => {
  const sources = ROOMS.filter((room) => existsSync(join(ROOT, room))).flatMap(sourcesUnder);
  return digest([...sources.sort(), 'package.json', 'package-lock.json'], 'dist');
};

export const isFresh = (file, stamp) => existsSync(file) && readFileSync(file, 'utf8') === stamp;

export const writeStamp = (file, stamp) => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, stamp);
};
