import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Ended, expectRefusal, scratchDirectory, Terminal } from './terminal.ts';

const mounted: string[] = [];
const run = (program: string, ...argv: string[]): boolean => spawnSync(program, argv, { stdio: 'ignore' }).status === 0;

/** A file system of a few MiB in memory; null where this process may not mount one. */
const smallDisk = async (mebibytes: number): Promise<string | null> => {
  const dir = await scratchDirectory();
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', dir)) return null;
  mounted.push(dir);
  return dir;
};

afterEach(() => {
  for (const dir of mounted.splice(0)) run('umount', dir);
});

const fill = (dir: string, leave: number): string => {
  const file = join(dir, 'filler');
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  return file;
};

const isRefusal = (ended: Ended): void => {
  expect(ended.err).toMatch(/^error\[D_DISK_FULL\]: /m);
  expect(ended.err).not.toMatch(/^\s+at .+:\d+:\d+/m);
  expect(ended.code).toBe(1);
};

const MAY_MOUNT = await (async () => {
  const dir = await smallDisk(1);
  if (dir !== null) run('umount', dir);
  mounted.length = 0;
  return dir !== null;
})();
if (!MAY_MOUNT)
  process.stderr.write('full-disk tests are left out: they mount a small file system, which only root may\n');

describe.skipIf(!MAY_MOUNT)('on a full disk', () => {
  const homeOnSmallDisk = async () => {
    const dir = (await smallDisk(24)) ?? '';
    mkdirSync(join(dir, 'home'));
    const terminal = new Terminal(join(dir, 'home'));
    await terminal.does('init');
    await terminal.does('vm', 'create', 'alone', '--class', 'StandaloneVM');
    await terminal.does('vm', 'start', 'alone');
    await terminal.vmWrites('alone:private', 'before');
    await terminal.does('vm', 'stop', 'alone');
    return { dir, terminal };
  };

  test('an import that does not fit is refused with a code and a way on, and the volume is as before', async () => {
    const { dir, terminal } = await homeOnSmallDisk();
    const source = join(await scratchDirectory(), 'large.img');
    writeFileSync(source, Buffer.alloc(32 * 2 ** 20, 'x'));
    const ended = await terminal.run(['volume', 'import', 'alone:private', source]);
    expectRefusal(ended, 'D_POOL_RESERVE');
    expect(ended.err).toMatch(/^could free: alone:private@\S+, up to .*revisions_to_keep=0$/m);
    expect(ended.err).toMatch(/^next: domtrail volume set alone:\S+ revisions_to_keep=0$/m);
    expect(await terminal.committed('alone:private', 6)).toBe('before');
    expect(statfsSync(dir).bavail).toBeGreaterThan(0);
    expect((await terminal.run(['recover'])).code).toBe(0);
    await terminal.does('vm', 'start', 'alone');
    await terminal.does('vm', 'stop', 'alone');
    await terminal.isSound();
  });

  test('an import from a pipe that brings too much is taken back with a code, and the volume is as before', async () => {
    const { terminal } = await homeOnSmallDisk();
    const input = Buffer.alloc(32 * 2 ** 20, 'x');
    const ended = await terminal.run(['volume', 'import', 'alone:private', '-'], { input });
    isRefusal(ended);
    expect(ended.err).toMatch(/^next: make room/m);
    expect(await terminal.committed('alone:private', 6)).toBe('before');
    await terminal.isSound();
  });

  test('a ledger on a file system that is read-only: a change is refused with a way on, and work goes on after', async () => {
    const { dir, terminal } = await homeOnSmallDisk();
    expect(run('mount', '-o', 'remount,ro', dir)).toBe(true);
    try {
      const ended = await terminal.run(['vm', 'start', 'alone']);
      expectRefusal(ended, 'D_HOME_UNREADABLE');
      expect(ended.err).toMatch(/^next: \S/m);
    } finally {
      run('mount', '-o', 'remount,rw', dir);
    }
    // Under load a start shows its progress, on stderr.
    expect((await terminal.run(['vm', 'start', 'alone'])).code).toBe(0);
    await terminal.does('vm', 'stop', 'alone');
    expect(await terminal.committed('alone:private', 6)).toBe('before');
    await terminal.isSound();
  });

  test('a pool near its reserve is named by status and by pool list, before it refuses anything', async () => {
    const { dir, terminal } = await homeOnSmallDisk();
    const filler = fill(dir, 2 * 2 ** 20);
    expect(await terminal.does('status')).toMatch(/default .*pool default has .* of data left above its reserve/);
    const list = await terminal.run(['pool', 'list']);
    expect(list.err).toMatch(/^warning: pool default has .* of data left above its reserve/m);
    rmSync(filler);
    expect((await terminal.run(['pool', 'list'])).err).toBe('');
  });

  test('a change that cannot be logged is refused with a code and nothing of it stands; work goes on once there is room', async () => {
    const { dir, terminal } = await homeOnSmallDisk();
    const ledger = readFileSync(join(terminal.home, 'ledger.db'));
    const filler = fill(dir, 0);
    isRefusal(await terminal.run(['vm', 'start', 'alone']));
    expect(readFileSync(join(terminal.home, 'ledger.db')).length).toBe(ledger.length);
    rmSync(filler);
    expect((await terminal.run(['recover'])).code).toBe(0);
    expect((await terminal.run(['vm', 'start', 'alone'])).code).toBe(0);
    await terminal.does('vm', 'stop', 'alone');
    expect(await terminal.committed('alone:private', 6)).toBe('before');
    await terminal.isSound();
  });
});
