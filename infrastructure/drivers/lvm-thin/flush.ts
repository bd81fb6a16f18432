import { open, readdir, readFile, stat } from 'node:fs/promises';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { Ran } from '../../process/run.ts';
import { type PoolName, privileged } from './argv.ts';
import { syncArgv } from './device-argv.ts';
import { poolDeviceOf } from './names.ts';
import type { Settings } from './work.ts';

/** Forces what was written to a pool's physical volumes onto the disk. Null: done, or there is no device to ask. */
export type Flush = (pool: PoolName) => Promise<Failure | null>;

const textOf = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
};

const below = async (block: string): Promise<readonly string[]> => {
  try {
    return await readdir(`${block}/slaves`);
  } catch {
    return [];
  }
};

/** The first devices that are not LVM's own: the physical volumes, be they disks, partitions or dm-crypt. */
const physicalBelow = async (block: string): Promise<readonly string[]> => {
  if (!(await textOf(`${block}/dm/uuid`)).startsWith('LVM-')) {
    const name = /^DEVNAME=(.+)$/m.exec(await textOf(`${block}/uevent`))?.[1];
    return name === undefined ? [] : [`/dev/${name}`];
  }
  const names = await below(block);
  const found = await Promise.all(names.map((name) => physicalBelow(`/sys/class/block/${name}`)));
  return [...new Set(found.flat())];
};

/** Linux' split of a device number (glibc's gnu_dev_major and gnu_dev_minor), for numbers below 2^32. */
const numberOf = (rdev: number): string => {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & ~0xff);
  return `${major}:${minor}`;
};

const flushDevice = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
};

const notForced = (cause: string): Failure =>
  failure('D_STEP_FAILED', "LVM's description of the pool could not be forced onto the disk", { cause });

const flushAs = async (
  { uid, run }: Pick<Settings, 'uid' | 'run'>,
  devices: readonly string[],
): Promise<Failure | null> => {
  if (uid !== 0) {
    const { evidence }: Ran = await run(privileged(uid, syncArgv(devices)));
    return evidence.exitCode === 0 ? null : notForced(evidence.stderr);
  }
  try {
    await Promise.all(devices.map(flushDevice));
    return null;
  } catch (error) {
    return notForced(error instanceof Error ? error.message : String(error));
  }
};

/**
 * LVM writes a text and then the header that points to it, and flushes neither: a power cut that kept only the header
 * would leave a volume group that cannot be found (spec: testbed §2, F2). Costs no process where we are root.
 */
export const flushPhysical = (settings: Pick<Settings, 'uid' | 'run'>): Flush => {
  let known: readonly string[] = [];
  return async ({ volumeGroup, thinPool }) => {
    if (known.length === 0) {
      try {
        const { rdev } = await stat(`/dev/mapper/${poolDeviceOf(volumeGroup, thinPool)}`);
        known = await physicalBelow(`/sys/dev/block/${numberOf(rdev)}`);
      } catch {
        // An inactive pool has no device; what was changed then was a name, and the next flush covers it.
        return null;
      }
    }
    return flushAs(settings, known);
  };
};
