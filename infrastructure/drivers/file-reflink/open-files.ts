import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../system-failure.ts';
import { inodeKey } from './identity.ts';

/** Processes end and descriptors close while we look, and others' are not ours to read: all of that is "not there". */
const orNothing = <T>(look: () => T): T | null => {
  try {
    return look();
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return null;
  }
};

type Holders = Map<string, string>;

const note = (holders: Holders, path: string, who: () => string): void => {
  const stats = orNothing(() => statSync(path, { bigint: true }));
  if (stats && !holders.has(inodeKey(stats))) holders.set(inodeKey(stats), who());
};

const nameOfProcess = (pid: string): string => {
  const name = orNothing(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trim();
  return name ? `process ${pid} (${name})` : `process ${pid}`;
};

const lookIntoProcess = (pid: string, below: string, holders: Holders): void => {
  const directory = `/proc/${pid}/fd`;
  for (const fd of orNothing(() => readdirSync(directory)) ?? []) {
    const path = join(directory, fd);
    // The link's text is a first sieve; what it leads to is compared by inode, since names change under open files.
    if (orNothing(() => readlinkSync(path))?.startsWith(below)) note(holders, path, () => nameOfProcess(pid));
  }
};

/** A loop device keeps its file open in the kernel, where no process shows it. */
const lookAtLoopDevices = (below: string, holders: Holders): void => {
  for (const device of orNothing(() => readdirSync('/sys/block')) ?? []) {
    if (!device.startsWith('loop')) continue;
    const file = orNothing(() => readFileSync(`/sys/block/${device}/loop/backing_file`, 'utf8'))?.trimEnd();
    if (file?.startsWith(below)) note(holders, file, () => `/dev/${device}`);
  }
};

/**
 * Who has which file below a directory open, by `device:inode`: other processes as far as we may look into them, and
 * loop devices. Synchronous on purpose: thousands of tiny reads of /proc take a tenth of the time that way.
 */
export const openBelow = (realDirectory: string): ReadonlyMap<string, string> => {
  const below = `${realDirectory}/`;
  const holders: Holders = new Map();
  for (const entry of orNothing(() => readdirSync('/proc')) ?? []) {
    if (/^\d+$/.test(entry) && entry !== String(process.pid)) lookIntoProcess(entry, below, holders);
  }
  lookAtLoopDevices(below, holders);
  return holders;
};
