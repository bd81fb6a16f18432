import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, readAt, type Terminal } from './terminal.ts';

const image = (terminal: Terminal, name: string): string => join(terminal.home, 'pools/default/appvms/work', name);

const storageOf = (terminal: Terminal): readonly string[] =>
  readdirSync(join(terminal.home, 'pools'), { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stats: statSync(join(terminal.home, 'pools', name)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ name, stats }) => `${name} ${stats.ino} ${stats.size}`)
    .sort();

type Finding = {
  readonly object: string;
  readonly kind: string;
  readonly problem: string | null;
  readonly position: number | null;
  readonly repair: string | null;
};

/** What fsck finds wrong; its exit code says whether there is anything. */
const problemsOf = async (terminal: Terminal): Promise<readonly Finding[]> => {
  const ended = await terminal.run(['fsck', '--json']);
  const { items } = JSON.parse(ended.out) as { items: readonly Finding[] };
  const problems = items.filter(({ problem }) => problem !== null);
  expect(ended.code).toBe(problems.length === 0 ? 0 : 2);
  return problems;
};

const ran = async (): Promise<Terminal> => {
  const terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work');
  await terminal.vmWrites('work:private', 'ours');
  await terminal.does('vm', 'stop', 'work');
  return terminal;
};

type Meddling = {
  readonly what: string;
  readonly meddle: (terminal: Terminal) => void;
  readonly undo: (terminal: Terminal) => void;
  readonly says: string;
};

const MEDDLINGS: readonly Meddling[] = [
  {
    what: 'renamed',
    meddle: (terminal) => renameSync(image(terminal, 'private.img'), image(terminal, 'private.img.bak')),
    undo: (terminal) => renameSync(image(terminal, 'private.img.bak'), image(terminal, 'private.img')),
    says: 'is gone',
  },
  {
    what: 'moved to the place of another VM',
    meddle: (terminal) => renameSync(image(terminal, 'private.img'), image(terminal, 'other.img')),
    undo: (terminal) => renameSync(image(terminal, 'other.img'), image(terminal, 'private.img')),
    says: 'is now called appvms/work/other.img',
  },
  {
    what: 'replaced by a copy of the same content',
    meddle: (terminal) => {
      renameSync(image(terminal, 'private.img'), image(terminal, 'private.away'));
      copyFileSync(image(terminal, 'private.away'), image(terminal, 'private.img'));
    },
    undo: (terminal) => renameSync(image(terminal, 'private.away'), image(terminal, 'private.img')),
    says: 'another disk',
  },
];

describe('an image that somebody else changed', () => {
  for (const { what, meddle, undo, says } of MEDDLINGS) {
    test(`${what}: nothing is touched, fsck names it, and all is well again once it is put back`, async () => {
      const terminal = await ran();
      // A sparse image of two GiB would be written out by the copy.
      await terminal.does('volume', 'resize', 'work:private', '1M', '--shrink');
      meddle(terminal);
      const before = storageOf(terminal);
      expectRefusal(await terminal.run(['vm', 'start', 'work']), 'D_DRIFT');
      expectRefusal(await terminal.run(['volume', 'revert', 'work:private']), 'D_DRIFT');
      expect(storageOf(terminal)).toEqual(before);
      const problems = await problemsOf(terminal);
      expect(problems).toMatchObject([{ kind: 'volume', object: expect.stringContaining('work:private') }]);
      expect(problems[0]?.problem).toContain(says);
      undo(terminal);
      expect(await problemsOf(terminal)).toEqual([]);
      await terminal.does('vm', 'start', 'work');
      expect(readAt((await terminal.info('work:private')).runtimePath ?? '', 4)).toBe('ours');
      await terminal.isSound();
    });
  }

  test('removed: the start is refused, the rest of the host goes on', async () => {
    const terminal = await ran();
    rmSync(image(terminal, 'private.img'));
    const ended = await terminal.run(['vm', 'start', 'work']);
    expectRefusal(ended, 'D_DRIFT');
    expect(ended.err).toContain('private.img');
    expect((await problemsOf(terminal)).map(({ object }) => object)).toEqual(['work:private appvms/work/private.img']);
    await terminal.does('vm', 'start', 'debian');
    await terminal.does('vm', 'stop', 'debian');
    await terminal.does('verify');
    expect((await terminal.run(['recover'])).code).toBe(0);
  });

  test('a file where the session should go is not ours: the start is refused and the file left alone', async () => {
    const terminal = await ran();
    writeFileSync(image(terminal, 'private-dirty.img'), 'somebody else needs this');
    expectRefusal(await terminal.run(['vm', 'start', 'work']), 'D_DRIFT');
    expect(readAt(image(terminal, 'private-dirty.img'), 8)).toBe('somebody');
    expect(await terminal.stateOf('work')).toBe('Halted');
    rmSync(image(terminal, 'private-dirty.img'));
    expect((await terminal.run(['vm', 'start', 'work'])).code).toBe(0);
    await terminal.isSound();
  });

  test('a foreign file in the pool is listed without a problem', async () => {
    const terminal = await ran();
    writeFileSync(image(terminal, 'mine.img'), 'mine');
    expect(await problemsOf(terminal)).toEqual([]);
    const { items } = await terminal.document<Finding>('fsck');
    expect(items).toContainEqual(expect.objectContaining({ object: 'appvms/work/mine.img', kind: 'foreign' }));
    await terminal.does('vm', 'remove', 'work', '--yes');
    await terminal.does('gc', '--all', '--yes');
    expect(readAt(image(terminal, 'mine.img'), 4)).toBe('mine');
  });

  test('a pool directory that is not there is a problem of the pool, not of every disk in it', async () => {
    const terminal = await ran();
    const pool = join(terminal.home, 'pools/default');
    renameSync(pool, `${pool}.unmounted`);
    expect(await problemsOf(terminal)).toMatchObject([{ object: 'default', kind: 'pool' }]);
    expect((await terminal.run(['vm', 'start', 'work'])).code).not.toBe(0);
    renameSync(`${pool}.unmounted`, pool);
    expect((await terminal.run(['vm', 'start', 'work'])).code).toBe(0);
    await terminal.isSound();
  });
});

describe('a disk that is in use', () => {
  test('vm stop with a file held open by another process is refused with exit 5, and nothing changes', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'open');
    const handle = openSync(image(terminal, 'private-dirty.img'), 'r+');
    const holder = spawn('sleep', ['600'], { stdio: [handle, 'ignore', 'ignore'] });
    await once(holder, 'spawn');
    closeSync(handle);
    const before = storageOf(terminal);
    try {
      for (const argv of [
        ['vm', 'stop', 'work'],
        ['vm', 'kill', 'work'],
        ['vm', 'stop', 'work', '--discard'],
      ]) {
        expectRefusal(await terminal.run(argv), 'D_DEVICE_IN_USE');
      }
      expect(storageOf(terminal)).toEqual(before);
      expect(await terminal.stateOf('work')).toBe('Running');
    } finally {
      const gone = once(holder, 'exit');
      holder.kill('SIGKILL');
      await gone;
    }
    await terminal.does('vm', 'stop', 'work');
    expect(await terminal.committed('work:private', 4)).toBe('open');
    await terminal.isSound();
  });
});

describe('two at once', () => {
  test('two starts of one VM at the same moment start it once', async () => {
    const terminal = await homeWithWork();
    const ends = await Promise.all([1, 2].map(() => terminal.run(['vm', 'start', 'work', '--wait', '30'])));
    expect(ends.map(({ code, err }) => ({ code, err }))).toEqual([
      { code: 0, err: '' },
      { code: 0, err: '' },
    ]);
    expect(await terminal.stateOf('work')).toBe('Running');
    const started = await terminal.items<{ type: string }>('log', 'work', '--type', 'VmStarted');
    expect(started).toHaveLength(1);
    await terminal.isSound();
  });

  test('starts of two VMs at the same moment both happen, one after the other', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'create', 'mail', '--class', 'AppVM', '--template', 'debian');
    const ends = await Promise.all(['work', 'mail'].map((name) => terminal.run(['vm', 'start', name, '--wait', '30'])));
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect([await terminal.stateOf('work'), await terminal.stateOf('mail')]).toEqual(['Running', 'Running']);
    await terminal.isSound();
  });

  test('without --wait a start that meets another is done, or busy with exit 5, never in between', async () => {
    const terminal = await homeWithWork();
    const ends = await Promise.all([1, 2, 3].map(() => terminal.run(['vm', 'start', 'work'])));
    expect(ends.some(({ code }) => code === 0)).toBe(true);
    for (const ended of ends.filter(({ code }) => code !== 0)) expectRefusal(ended, 'D_BUSY');
    expect(await terminal.stateOf('work')).toBe('Running');
    await terminal.isSound();
  });
});
