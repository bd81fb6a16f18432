// image CHECKOUT ROUNDS: inside the lab machine only. Reads a thin volume of 10 GiB with 200 MiB of data for a backup: with the
// map from the pool's metadata, and as one that has to be read whole.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskId, Place } from '../../domain/disk.ts';
import type { PoolName } from '../../domain/names.ts';
import { sparseArchive } from '../../infrastructure/backup/sparse-tar/archive.ts';
import type { Image } from '../../infrastructure/drivers/image.ts';
import { lvmThinDriver } from '../../infrastructure/drivers/lvm-thin/driver.ts';
import { median, tell } from '../clock.ts';
import { create, runs } from './by-hand.ts';
import { cpuOf, enterGroup } from './cpu.ts';

const [checkout = '', rounds = '1'] = process.argv.slice(2);
const DEVICE = '/dev/mapper/qubes_dom0-vm--work--private';
const AT: Place = { pool: 'vm-pool' as PoolName, vid: 'qubes_dom0/vm-work-private', role: { kind: 'current' } };
const POOL = { volumeGroup: 'qubes_dom0', thinPool: 'vm-pool' };

/** 50 extents of 4 MiB, all over 10 GiB. */
const prepare = (): void => {
  runs(join(checkout, 'test', 'lab', 'guest', 'make-pool.sh'), '1500M');
  create('vm-work-private', '10G')();
  for (let n = 0; n < 50; n++) {
    runs('dd', 'if=/dev/urandom', `of=${DEVICE}`, 'bs=4M', 'count=1', `seek=${n * 51}`, 'conv=notrunc,fsync');
  }
};

const imageNow = async (): Promise<Image> => {
  const driver = lvmThinDriver(POOL);
  const seen = await driver.survey();
  const disk = seen.ok ? seen.value.find(({ name }) => name === AT.vid) : undefined;
  const image = await driver.image?.(AT, (disk?.id ?? '') as DiskId);
  if (!image?.ok) throw new Error(`there is no image: ${image?.error.message}`);
  return image.value;
};

const archived = async (image: Image): Promise<void> => {
  const sink = openSync('/dev/null', 'w');
  for await (const piece of sparseArchive(image, 'vm7/private.img')) writeSync(sink, piece);
  closeSync(sink);
};

const WORKS: Readonly<Record<string, () => unknown>> = {
  mapped: async () => {
    const image = await imageNow();
    if (!image.ranges) throw new Error('there is no map');
    await archived(image);
  },
  // A tenth of it: all of it takes the machine half an hour.
  floor: () => runs('bash', '-c', 'head --bytes=1G "$0" | cat >/dev/null', DEVICE),
  node: () => runs(process.execPath, '-e', '0'),
};

const main = async (): Promise<void> => {
  runs('mkdir', '-p', '/run/cgroup');
  runs('mount', '-t', 'cgroup2', 'none', '/run/cgroup');
  enterGroup();
  prepare();
  const all: Record<string, number> = {};
  for (const [name, work] of Object.entries(WORKS)) {
    const taken: number[] = [];
    for (let round = 0; round < Number(rounds); round++) taken.push((await cpuOf(work)).all);
    all[name] = median(taken);
    process.stderr.write(`${name}: ${all[name]?.toFixed(0)} ms\n`);
  }
  tell(all);
};

void main();
