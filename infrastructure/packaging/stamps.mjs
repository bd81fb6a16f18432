// Stamps tell whether what was installed and built still belongs to what lies here.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOMS = ['bin/commands', 'bin', 'domain', 'infrastructure', 'projections', 'migrations'];

const filesUnder = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]));

const exists = (path) => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Of every source file's content: file times say nothing after a checkout. */
export const sourceStamp = (root) => {
  const hash = createHash('sha256');
  const files = ROOMS.filter((room) => exists(join(root, room))).flatMap((room) => filesUnder(join(root, room)));
  for (const file of [...new Set(files), join(root, 'package.json'), join(root, 'package-lock.json')].sort()) {
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
};

/** Of what npm has to install, for this node: a native addon belongs to one version of it. */
export const lockStamp = (root) =>
  createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(process.versions.modules).digest('hex');
