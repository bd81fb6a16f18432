import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PoolName } from '../../../domain/names.ts';
import { fileReflinkDriver } from '../../../infrastructure/drivers/file-reflink/driver.ts';
import type { Settings } from '../../../infrastructure/drivers/file-reflink/work.ts';
import type { DriverBench, Holder } from '../bench.ts';
import { readFileAt, sourceIn, writeFileAt } from '../source-file.ts';

export type FileBench = DriverBench & { readonly dir: string; readonly outside: string };

/** Another process with the file as its stdin, and a handle of our own that follows it through renames. */
export const holdOpen = async (path: string): Promise<Holder> => {
  const handle = await open(path, 'r+');
  const child = spawn('sleep', ['600'], { stdio: [handle.fd, 'ignore', 'ignore'] });
  await once(child, 'spawn');
  return {
    readAt: async (offset, length) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer.toString('latin1', 0, bytesRead);
    },
    release: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await handle.close();
    },
  };
};

export const QUICK: Settings = { stdin: 0, stdout: 1, patienceMs: 0 };

/** A prepared pool in a directory of its own below `base`. */
export const fileBench = async (settings: Settings = QUICK, base = tmpdir()): Promise<FileBench> => {
  const home = await mkdtemp(join(base, 'domtrail-files-'));
  const dir = join(home, 'pools', 'default');
  const outside = join(home, 'outside');
  await mkdir(outside);
  const driver = fileReflinkDriver({ dir }, settings);
  const prepared = await driver.prepare();
  if (!prepared.ok) throw new Error(`${prepared.error.message}: ${prepared.error.cause}`);
  let targets = 0;
  return {
    driver,
    dir,
    outside,
    pool: 'default' as PoolName,
    vidFor: (vm, volume) => `appvms/${vm}/${volume}`,
    writeAt: writeFileAt,
    readAt: readFileAt,
    sourceFile: (bytes, pieces) => sourceIn(outside, bytes, pieces),
    targetPath: () => join(outside, `target-${++targets}`),
    foreignCreate: async (place, bytes) => {
      await mkdir(dirname(driver.pathOf(place)), { recursive: true });
      await writeFile(driver.pathOf(place), '');
      await truncate(driver.pathOf(place), bytes);
    },
    foreignRemove: (name) => rm(join(dir, name)),
    foreignRename: (from, to) => rename(join(dir, from), join(dir, to)),
    holdOpen,
    cleanup: () => rm(home, { recursive: true }),
  };
};
