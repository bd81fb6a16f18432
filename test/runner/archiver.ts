import { archiverFor } from '../../infrastructure/backup/archiver.ts';
import type { Making } from '../../infrastructure/backup/files-to-write.ts';
import { backupXml } from '../../projections/qubes-xml/backup-xml.ts';
import type { World } from './world.ts';

export const PASSPHRASE = 'correct horse';

/** As a process that was asked for a backup has it; keys that cost nothing. */
export const withArchiver = (world: World, more: Partial<Making> = {}): World => {
  world.archiver = archiverFor({
    passphrase: PASSPHRASE,
    cost: { logN: 10 },
    host: () => world.host,
    qubesXml: backupXml,
    committed: () => null,
    signal: new AbortController().signal,
    stallMs: 0,
    stdout: 1,
    ...more,
  });
  return world;
};
