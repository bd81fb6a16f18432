import { mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolName } from '../../../domain/names.ts';
import { lvmThinDriver } from '../../../infrastructure/drivers/lvm-thin/driver.ts';
import { stampText } from '../../../infrastructure/drivers/stamp.ts';
import { run } from '../../../infrastructure/process/run.ts';
import type { DriverBench, Holder, Piece, SourceFile } from '../../drivers/bench.ts';

const GROUP = 'qubes_dom0';
/** The machine starts its command in the checkout; this file may be part of a bundle that lies elsewhere. */
const MAKE_POOL = join(process.cwd(), 'test/lab/guest/make-pool.sh');

/** Runs what must succeed; gives its stdout. */
export const must = async (...argv: readonly [string, ...string[]]): Promise<string> => {
  const { evidence, stdout } = await run(argv);
  if (evidence.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${evidence.exitCode} ${evidence.stderr}`);
  return stdout;
};

/** Proves that this is the lab machine and brings its pool; throws anywhere else, before any disk is looked at. */
export const labPool = (): Promise<string> => {
  pool ??= must(MAKE_POOL);
  return pool;
};
let pool: Promise<string> | null = null;

/** `VG/LV` of every volume, without the pool itself. */
export const volumes = async (): Promise<readonly string[]> => {
  const listed = await must('lvm', 'lvs', '--noheadings', '-o', 'vg_name,lv_name', '--separator', '/', GROUP);
  const names = listed.split('\n').map((line) => line.trim());
  return names.filter((name) => name !== '' && name !== `${GROUP}/vm-pool`);
};

export const removeAll = async (): Promise<void> => {
  await must('lvm', 'lvremove', '--force', '-y', '-S', 'pool_lv=vm-pool', '--', GROUP);
};

const writeAt = async (path: string, offset: number, text: string): Promise<void> => {
  const handle = await open(path, 'r+');
  try {
    await handle.write(Buffer.from(text, 'latin1'), 0, text.length, offset);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const readOf = async (handle: Awaited<ReturnType<typeof open>>, offset: number, length: number): Promise<string> => {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
  return buffer.toString('latin1', 0, bytesRead);
};

const readAt = async (path: string, offset: number, length: number): Promise<string> => {
  const handle = await open(path, 'r');
  try {
    return await readOf(handle, offset, length);
  } finally {
    await handle.close();
  }
};

const holdOpen = async (path: string): Promise<Holder> => {
  const handle = await open(path, 'r');
  return { readAt: (offset, length) => readOf(handle, offset, length), release: () => handle.close() };
};

const sourceIn = async (dir: string, bytes: number, pieces: readonly Piece[]): Promise<SourceFile> => {
  const path = join(await mkdtemp(join(dir, 'source-')), 'image');
  await writeFile(path, '');
  await truncate(path, bytes);
  for (const { offset, text } of pieces) await writeAt(path, offset, text);
  return { kind: 'file', path, bytes, stamp: stampText(await stat(path, { bigint: true })) };
};

/** The `lvm_thin` driver on the lab's real pool, which is emptied after each test. */
export const realBench = async (): Promise<DriverBench> => {
  await labPool();
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-lab-'));
  const driver = lvmThinDriver({ volumeGroup: GROUP, thinPool: 'vm-pool' });
  let targets = 0;
  return {
    driver,
    pool: 'lvm' as PoolName,
    vidFor: (vm, volume) => `${GROUP}/vm-${vm}-${volume}`,
    writeAt,
    readAt,
    sourceFile: (bytes, pieces) => sourceIn(dir, bytes, pieces),
    targetPath: () => join(dir, `target-${++targets}`),
    foreignCreate: async (place, bytes) => {
      const name = driver.nameOf(place).slice(GROUP.length + 1);
      await must('lvm', 'lvcreate', '--thin', '-V', `${bytes}B`, '-n', name, `${GROUP}/vm-pool`);
    },
    foreignRemove: async (name) => {
      await must('lvm', 'lvremove', '--force', name);
    },
    foreignRename: async (from, to) => {
      await must('lvm', 'lvrename', from, to);
    },
    holdOpen,
    cleanup: async () => {
      await removeAll();
      await rm(dir, { recursive: true });
    },
  };
};
