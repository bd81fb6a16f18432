import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Place } from '../../../domain/disk.ts';
import { fileReflinkDriver } from '../../../infrastructure/drivers/file-reflink/driver.ts';
import { LARGE, made, must, mustSee, placeIn, read, refusal, SMALL, surveyed, write } from '../bench.ts';
import { type FileBench, fileBench, holdOpen, QUICK } from './file-bench.ts';

let bench: FileBench;
let at: Place;
beforeEach(async () => {
  bench = await fileBench();
  at = placeIn(bench, { kind: 'current' });
});
afterEach(() => bench.cleanup());

const path = (place: Place): string => bench.driver.pathOf(place);

/** A small file system of its own; null where we may not mount one. */
const mounted = async (type: string, options: string): Promise<string | null> => {
  const point = await mkdtemp(join(tmpdir(), `domtrail-${type}-`));
  try {
    execFileSync('mount', ['-t', type, '-o', options, type, point], { stdio: 'ignore' });
    await chmod(point, 0o700);
    return point;
  } catch {
    await rm(point, { recursive: true });
    return null;
  }
};

const unmount = async (point: string): Promise<void> => {
  execFileSync('umount', [point]);
  await rm(point, { recursive: true });
};

describe('files of the pool', () => {
  test('are private and take no space for zeros', async () => {
    const disk = await made(bench, at, LARGE);
    expect(disk.usedBytes).toBe(0);
    expect((await stat(path(at))).mode & 0o777).toBe(0o600);
    await write(bench, at, SMALL, 'x');
    const copy = placeIn(bench, { kind: 'session' });
    await must(bench, { do: 'snapshot', of: disk.id, from: at, at: copy });
    expect((await stat(path(copy))).mode & 0o777).toBe(0o600);
    expect((await mustSee(bench, copy)).usedBytes).toBeLessThan(SMALL);
    expect((await stat(join(bench.dir, '.domtrail'))).mode & 0o777).toBe(0o700);
  });

  test('that are no images, and symlinks, are neither shown nor touched', async () => {
    await made(bench, at);
    const vm = join(bench.dir, 'appvms', 'work');
    await writeFile(join(vm, 'firewall.xml'), '<firewall/>');
    await symlink(join(vm, 'private.img'), join(vm, 'root.img'));
    await symlink(bench.outside, join(bench.dir, 'appvms', 'linked'));
    await writeFile(join(bench.outside, 'private.img'), 'outside');
    await mkdir(join(vm, 'directory.img'));
    expect((await surveyed(bench)).map(({ name }) => name)).toEqual(['appvms/work/private.img']);
    expect(await refusal(bench, { do: 'create', at: placeIn(bench, { kind: 'current' }, 'root'), bytes: SMALL })).toBe(
      'D_EXISTS',
    );
    expect((await lstat(join(vm, 'root.img'))).isSymbolicLink()).toBe(true);
  });

  test('are never written through a directory that is a symlink', async () => {
    await symlink(bench.outside, join(bench.dir, 'appvms', 'linked'));
    const place: Place = { pool: bench.pool, vid: 'appvms/linked/private', role: { kind: 'current' } };
    expect(await refusal(bench, { do: 'create', at: place, bytes: SMALL })).toBe('D_DRIVER_REFUSES');
    expect(await readdir(bench.outside)).toEqual([]);
  });

  test('of ids that would lead elsewhere are refused', async () => {
    for (const vid of ['appvms/../../x', '/etc/x/y', 'appvms/x/../../../y', 'appvms/x/y-dirty']) {
      expect(await refusal(bench, { do: 'create', at: { ...at, vid }, bytes: SMALL })).toBe('D_DRIVER_REFUSES');
    }
    const evil = { command: '../evil', step: 1, deed: { do: 'create', at, bytes: SMALL } } as const;
    expect((await bench.driver.act(evil)).failure?.code).toBe('D_BAD_INPUT');
  });

  test('that were restored from a copy are other disks, even with the old name, size and time', async () => {
    const { id, name } = await made(bench, at);
    const times = await stat(path(at));
    execFileSync('cp', ['-a', path(at), `${path(at)}.copy`]);
    await rename(`${path(at)}.copy`, path(at));
    await utimes(path(at), times.atime, times.mtime);
    expect((await mustSee(bench, at)).id).not.toBe(id);
    expect(await refusal(bench, { do: 'erase', disk: id, at })).toBe('D_DRIFT');
    expect((await mustSee(bench, at)).name).toBe(name);
  });

  test('have ids of their own when many are made in the same moment', async () => {
    const volumes = Array.from({ length: 30 }, (_, n) => `volume${n}`);
    await Promise.all(
      volumes.map((volume) =>
        must(bench, { do: 'create', at: placeIn(bench, { kind: 'current' }, volume), bytes: SMALL }),
      ),
    );
    expect(new Set((await surveyed(bench)).map(({ id }) => id)).size).toBe(30);
  });

  test('change size on the spot for those who have them open', async () => {
    const { id } = await made(bench, at);
    const handle = await open(path(at), 'r');
    await must(bench, { do: 'resize', disk: id, at, bytes: LARGE, shrink: false });
    expect((await handle.stat()).size).toBe(LARGE);
    await handle.close();
  });

  test('vanish with the directory of their VM when the last one is erased', async () => {
    const trash = placeIn(bench, { kind: 'trash', position: 1 });
    const { id } = await made(bench, at);
    await must(bench, { do: 'move', disk: id, from: at, to: trash });
    await must(bench, { do: 'erase', disk: id, at: trash });
    expect(await readdir(join(bench.dir, 'appvms'))).toEqual([]);
  });
});

describe('a pool', () => {
  test('that is missing or not mounted fails to be surveyed instead of looking empty', async () => {
    for (const dir of [join(bench.outside, 'missing'), bench.outside]) {
      const survey = await fileReflinkDriver({ dir }).survey();
      expect(survey).toMatchObject({ ok: false, error: { code: 'D_NOT_FOUND' } });
    }
  });

  test('is prepared any number of times without touching its disks', async () => {
    const { id } = await made(bench, at);
    expect(await bench.driver.prepare()).toEqual({ ok: true, value: null });
    expect((await surveyed(bench)).map((disk) => disk.id)).toEqual([id]);
  });

  test('may be reached through a symlink', async ({ onTestFinished }) => {
    const dir = join(bench.outside, 'pool');
    await symlink(bench.dir, dir);
    const linked = { ...bench, driver: fileReflinkDriver({ dir }, QUICK) };
    expect(await linked.driver.prepare()).toEqual({ ok: true, value: null });
    const { id } = await made(linked, at);
    const holder = await holdOpen(linked.driver.pathOf(at));
    onTestFinished(holder.release);
    expect(await mustSee(linked, at)).toMatchObject({ id, open: true });
    await must(linked, { do: 'move', disk: id, from: at, to: placeIn(linked, { kind: 'trash', position: 1 }) });
  });

  test('is refused where its directory is a file or leads elsewhere', async () => {
    const file = join(bench.outside, 'file');
    await writeFile(file, '');
    expect(await fileReflinkDriver({ dir: join(file, 'pool') }).prepare()).toMatchObject({ ok: false });
    const crooked = join(bench.outside, 'crooked');
    await mkdir(crooked);
    await symlink(bench.dir, join(crooked, 'appvms'));
    expect(await fileReflinkDriver({ dir: crooked }).prepare()).toMatchObject({
      ok: false,
      error: { code: 'D_DRIVER_REFUSES' },
    });
  });

  test('is refused where no directory can be made', async () => {
    const prepared = await fileReflinkDriver({ dir: '/proc/self/pool' }).prepare();
    expect(prepared).toMatchObject({ ok: false, error: { code: 'D_STEP_FAILED' } });
  });

  test('is refused on a file system without birth times, and nothing of the probe stays', async ({ skip }) => {
    const point = await mounted('ramfs', 'mode=700');
    if (!point) return skip('needs root to mount a file system without birth times');
    try {
      const prepared = await fileReflinkDriver({ dir: point }).prepare();
      expect(prepared).toMatchObject({ ok: false, error: { code: 'D_DRIVER_REFUSES' } });
      expect(await readdir(join(point, '.domtrail'))).toEqual([]);
    } finally {
      await unmount(point);
    }
  });
});

describe('a full file system', () => {
  test('is reported as such, leaves no temporary and no half content', async ({ skip }) => {
    const point = await mounted('tmpfs', 'size=2m');
    if (!point) return skip('needs root to mount a small file system');
    try {
      const small = await fileBench(QUICK, point);
      const { id } = await made(small, at);
      await write(small, at, 0, 'x'.repeat(1_500_000));
      const session = placeIn(small, { kind: 'session' });
      expect(await refusal(small, { do: 'snapshot', of: id, from: at, at: session })).toBe('D_DISK_FULL');
      expect((await readdir(join(small.dir, '.domtrail'))).filter((file) => file.endsWith('.tmp'))).toEqual([]);
      const from = await bench.sourceFile(SMALL, [{ offset: 0, text: 'z'.repeat(1_500_000) }]);
      const target = await made(small, placeIn(small, { kind: 'import' }));
      const fill = { do: 'fill', disk: target.id, at: placeIn(small, { kind: 'import' }), from } as const;
      expect(await refusal(small, fill)).toBe('D_DISK_FULL');
      expect(await mustSee(small, fill.at)).toMatchObject({ id: target.id, bytes: SMALL, usedBytes: 0 });
      expect((await read(small, at, 0, 1_500_000)) === 'x'.repeat(1_500_000)).toBe(true);
    } finally {
      await unmount(point);
    }
  });
});
