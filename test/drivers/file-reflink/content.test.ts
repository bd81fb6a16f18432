import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, utimesSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DiskId, Place } from '../../../domain/disk.ts';
import type { Code } from '../../../domain/failure.ts';
import { fileReflinkDriver } from '../../../infrastructure/drivers/file-reflink/driver.ts';
import { stampOf } from '../../../infrastructure/drivers/stamp.ts';
import { carryOut, jobFor, LARGE, made, mustSee, placeIn, read, refusal, SMALL, seenAt, write } from '../bench.ts';
import { type FileBench, fileBench, holdOpen, QUICK } from './file-bench.ts';

let bench: FileBench;
let at: Place;
beforeEach(async () => {
  bench = await fileBench();
  at = placeIn(bench, { kind: 'current' });
});
afterEach(() => bench.cleanup());

const path = (place: Place): string => bench.driver.pathOf(place);
const import_ = (): Place => placeIn(bench, { kind: 'import' });
const driverWith = (settings: Partial<typeof QUICK>) =>
  fileReflinkDriver({ dir: bench.dir }, { ...QUICK, ...settings });

describe('filling from a file', () => {
  test('notices a file that is changed while it is copied, and keeps nothing of it', async () => {
    const { id } = await made(bench, import_(), LARGE);
    const from = await bench.sourceFile(SMALL, [{ offset: 0, text: 'torn' }]);
    const deed = { do: 'fill', disk: id, at: import_(), from } as const;
    const { failure } = await bench.driver.act(jobFor(deed), () => utimesSync(from.path, 1, 1));
    expect(failure?.code).toBe('D_INPUT_CHANGED');
    expect(await mustSee(bench, import_())).toMatchObject({ id, bytes: LARGE, usedBytes: 0 });
  });

  test('notices a file that is another one than planned, or gone', async () => {
    const { id } = await made(bench, import_());
    const from = await bench.sourceFile(SMALL, [{ offset: 0, text: 'one' }]);
    await utimes(from.path, 1, 1);
    expect(await refusal(bench, { do: 'fill', disk: id, at: import_(), from })).toBe('D_INPUT_CHANGED');
    await rm(from.path);
    expect(await refusal(bench, { do: 'fill', disk: id, at: import_(), from })).toBe('D_INPUT_CHANGED');
    expect(await read(bench, import_(), 0, 3)).toBe('\0\0\0');
  });

  test('reports all of it as done at the end', async () => {
    const { id } = await made(bench, import_());
    const from = await bench.sourceFile(SMALL, [{ offset: 0, text: 'x'.repeat(65536) }]);
    const seen: (readonly [number, number])[] = [];
    await bench.driver.act(jobFor({ do: 'fill', disk: id, at: import_(), from }), (...both) => seen.push(both));
    expect(seen.at(-1)).toEqual([65536, 65536]);
  });

  test('waits for a disk that somebody has open, and gives up in the end', async () => {
    const { id } = await made(bench, import_());
    const from = await bench.sourceFile(SMALL, [{ offset: 0, text: 'new' }]);
    const holder = await holdOpen(path(import_()));
    expect(await refusal(bench, { do: 'fill', disk: id, at: import_(), from })).toBe('D_DEVICE_IN_USE');
    const patient = driverWith({ patienceMs: 60_000 }).act(jobFor({ do: 'fill', disk: id, at: import_(), from }));
    await holder.release();
    expect((await patient).failure).toBeNull();
    expect(await read(bench, import_(), 0, 3)).toBe('new');
  });

  test('takes the exact argv into the evidence', async () => {
    const { id } = await made(bench, import_());
    const from = await bench.sourceFile(SMALL, []);
    const { evidence } = await bench.driver.act(jobFor({ do: 'fill', disk: id, at: import_(), from }));
    expect(evidence).toMatchObject({ exitCode: 0, stderr: '' });
    expect(evidence.argv).toEqual([['cp', '--reflink=auto', '--sparse=always', '--', from.path, path(import_())]]);
  });
});

describe('standard input and output', () => {
  const limit = 300_000;
  const fillWith = async (bytes: number, content = 'y') => {
    const seen = await seenAt(bench, import_());
    const { id } = seen ?? (await made(bench, import_(), LARGE));
    await write(bench, import_(), 0, 'old content');
    const source = join(bench.outside, `stdin-${bytes}`);
    await writeFile(source, content.repeat(bytes));
    const handle = await open(source, 'r');
    const deed = { do: 'fill', disk: id, at: import_(), from: { kind: 'stdin', limit } } as const;
    const acted = await driverWith({ stdin: handle.fd }).act(jobFor(deed));
    await handle.close();
    return acted.failure?.code ?? null;
  };

  test('what comes in replaces the whole disk, the rest is zeros', async () => {
    expect(await fillWith(299_999)).toBeNull();
    expect((await read(bench, import_(), 0, LARGE)) === 'y'.repeat(299_999) + '\0'.repeat(LARGE - 299_999)).toBe(true);
    expect(await fillWith(0)).toBeNull();
    expect((await read(bench, import_(), 0, LARGE)) === '\0'.repeat(LARGE)).toBe(true);
  });

  test('exactly the limit is taken, one byte more is refused, also when that byte is zero', async () => {
    expect(await fillWith(limit)).toBeNull();
    expect((await mustSee(bench, import_())).usedBytes).toBeGreaterThan(0);
    for (const content of ['y', '\0']) {
      expect(await fillWith(limit + 1, content)).toBe('D_TOO_MUCH_DATA');
      expect(await mustSee(bench, import_())).toMatchObject({ bytes: LARGE, usedBytes: 0 });
    }
  });

  test('a slow pipe comes in whole', async () => {
    const { id } = await made(bench, import_());
    const pipe = join(bench.outside, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'for i in 1 2 3 4 5; do printf 12345; sleep 0.02; done > "$0"', pipe]);
    const handle = await open(pipe, 'r');
    const deed = { do: 'fill', disk: id, at: import_(), from: { kind: 'stdin', limit } } as const;
    await carryOut({ ...bench, driver: driverWith({ stdin: handle.fd }) }, jobFor(deed));
    await handle.close();
    if (writer.exitCode === null) await once(writer, 'exit');
    expect(await read(bench, import_(), 0, 26)).toBe(`${'12345'.repeat(5)}\0`);
  });

  test('a disk goes out byte for byte', async () => {
    const { id } = await made(bench, at);
    await write(bench, at, SMALL - 3, 'end');
    const out = await open(join(bench.outside, 'out'), 'w+');
    await carryOut(
      { ...bench, driver: driverWith({ stdout: out.fd }) },
      jobFor({ do: 'read', disk: id, at, to: { kind: 'stdout' } }),
    );
    await out.close();
    const text = await bench.readAt(join(bench.outside, 'out'), 0, LARGE);
    expect(text === `${'\0'.repeat(SMALL - 3)}end`).toBe(true);
  });

  test('a reader that went away is a failure of the step, a full one is a full disk', async () => {
    const { id } = await made(bench, at);
    const deed = { do: 'read', disk: id, at, to: { kind: 'stdout' } } as const;
    const pipe = join(bench.outside, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = await open(pipe, 'w');
    await reader.close();
    const broken = await driverWith({ stdout: writer.fd }).act(jobFor(deed));
    await writer.close();
    expect(broken.failure?.code).toBe('D_STEP_FAILED');
    const full = await open('/dev/full', 'w');
    const acted = await driverWith({ stdout: full.fd }).act(jobFor(deed));
    await full.close();
    expect(acted.failure?.code).toBe('D_DISK_FULL');
  });
});

describe('reading to a file', () => {
  const readTo = (id: DiskId, target: string): Promise<Code | null> =>
    refusal(bench, { do: 'read', disk: id, at, to: { kind: 'file', path: target } });

  test('replaces a file only when the copy is complete, and leaves nothing else', async () => {
    const { id } = await made(bench, at);
    const target = bench.targetPath();
    await writeFile(target, 'older export');
    expect(await readTo('file:1-1' as DiskId, target)).toBe('D_DRIFT');
    expect(await bench.readAt(target, 0, 20)).toBe('older export');
    expect(await readTo(id, target)).toBeNull();
    expect((await stat(target)).size).toBe(SMALL);
    expect(await readdir(bench.outside)).toEqual(['target-1']);
    expect((await readdir(join(bench.dir, '.domtrail'))).filter((file) => !file.endsWith('.1.json'))).toEqual([]);
  });

  test('never replaces a device, a pipe or a directory', async () => {
    const { id } = await made(bench, at);
    const pipe = join(bench.outside, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const target of [pipe, bench.outside, '/dev/null']) expect(await readTo(id, target)).toBe('D_BAD_INPUT');
    expect((await lstat(pipe)).isFIFO()).toBe(true);
  });

  test('follows a symlink and keeps it one', async () => {
    const { id } = await made(bench, at);
    await mkdir(join(bench.outside, 'directory'));
    await symlink(join(bench.outside, 'directory'), join(bench.outside, 'way'));
    expect(await readTo(id, join(bench.outside, 'way', 'new'))).toBeNull();
    expect(await readdir(join(bench.outside, 'directory'))).toEqual(['new']);
    const real = join(bench.outside, 'real');
    await writeFile(real, '');
    await symlink(real, join(bench.outside, 'link'));
    expect(await readTo(id, join(bench.outside, 'link'))).toBeNull();
    expect((await lstat(join(bench.outside, 'link'))).isSymbolicLink()).toBe(true);
    expect((await stat(real)).size).toBe(SMALL);
  });

  test('works with names of 255 bytes and fails with a code where nothing can be written', async () => {
    const { id } = await made(bench, at);
    expect(await readTo(id, join(bench.outside, 'ä'.repeat(127)))).toBeNull();
    expect(await readTo(id, join(bench.outside, 'missing', 'target'))).toBe('D_STEP_FAILED');
  });
});

describe('a stamp', () => {
  test('changes with the content and with the file, and with nothing else', async () => {
    const one = join(bench.outside, 'one');
    await writeFile(one, 'one');
    const first = await stampOf(one);
    await bench.readAt(one, 0, 3);
    expect(await stampOf(one)).toBe(first);
    await rename(one, join(bench.outside, 'two'));
    expect(await stampOf(join(bench.outside, 'two'))).toBe(first);
    await writeFile(one, 'one');
    expect(await stampOf(one)).not.toBe(first);
    await expect(stampOf(join(bench.outside, 'none'))).rejects.toThrow('ENOENT');
  });
});
