import { chmod, copyFile, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolUsage } from '../../../domain/pool/usage.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { failureOf } from '../system-failure.ts';
import { makeDirectory, solidWay } from './durable.ts';
import { identityOf } from './identity.ts';
import { HIDDEN, PREFIXES } from './names.ts';

const refuse = (dir: string, cause: string): Failure =>
  failure('D_DRIVER_REFUSES', `the file system of ${dir} cannot hold a file pool`, { cause });

const facts = (path: string) => stat(path, { bigint: true });

/** Longer than any kernel's clock tick, so that two changes this far apart carry different times. */
const TICK_MS = 20;

/**
 * True when the birth time is a real one. A file system without birth times shows zero or the time of the last change,
 * which the change below moves on.
 */
const birthTimeStays = async (path: string): Promise<boolean> => {
  const before = await facts(path);
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  await chmod(path, 0o400);
  const after = await facts(path);
  return before.birthtimeNs > 0n && before.birthtimeNs === after.birthtimeNs && after.ctimeNs > before.ctimeNs;
};

/** Takes a file through every directory of the pool and back, then copies it: null when ids behave as promised. */
const probeFiles = async (dir: string, probe: string, copy: string): Promise<Failure | null> => {
  await (await open(probe, 'wx', 0o600)).close();
  const id = identityOf(await facts(probe));
  if (!(await birthTimeStays(probe))) return refuse(dir, 'it keeps no birth times of files, which disks are known by');
  for (const prefix of PREFIXES) {
    const elsewhere = join(dir, prefix, '.probe');
    await rename(probe, elsewhere);
    const moved = identityOf(await facts(elsewhere));
    await rename(elsewhere, probe);
    if (moved !== id) return refuse(dir, 'renaming a file changes its inode or birth time');
  }
  await copyFile(probe, copy);
  return identityOf(await facts(copy)) === id ? refuse(dir, 'a copy cannot be told from its original') : null;
};

const PROBE = /^\.probe-\d+-[ab]$/;

const probeDirectory = async (dir: string): Promise<Failure | null> => {
  const hidden = join(dir, HIDDEN);
  for (const file of await readdir(hidden)) if (PROBE.test(file)) await rm(join(hidden, file), { force: true });
  const probe = join(hidden, `.probe-${process.pid}-a`);
  const copy = join(hidden, `.probe-${process.pid}-b`);
  try {
    return await probeFiles(dir, probe, copy);
  } finally {
    await rm(probe, { force: true });
    await rm(copy, { force: true });
  }
};

/** Makes the directories of a pool and tries out whether disks can be known by inode and birth time there. */
export const preparePool = async (dir: string): Promise<Result<null, Failure>> => {
  try {
    await makeDirectory(dir);
    for (const name of [...PREFIXES, HIDDEN]) {
      await makeDirectory(join(dir, name));
      const blocked = await solidWay(dir, join(name, 'x'));
      if (blocked) return err(blocked);
    }
    const refused = await probeDirectory(dir);
    return refused ? err(refused) : ok(null);
  } catch (error) {
    return err(failureOf(error, `the pool directory ${dir} cannot be used`));
  }
};

/** Of the whole file system: what other files take from it is not free for disks either. */
export const usageOf = async (dir: string): Promise<Result<PoolUsage, Failure>> => {
  try {
    const { blocks, bfree, bsize } = await statfs(dir);
    return ok({
      bytes: blocks * bsize,
      usedBytes: (blocks - bfree) * bsize,
      metadataBytes: null,
      metadataUsedBytes: null,
    });
  } catch (error) {
    return err(failureOf(error, `the pool directory ${dir} cannot be read`));
  }
};
