import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyHome, readAt, type Terminal } from '../../cli/terminal.ts';
import { labPool, removeAll, volumes } from './real-bench.ts';

const PRIVATE = 'work:private';
const LENGTH = 5;
const PATIENCE = 900_000;

/** Fewer with `env LAB_POINTS=after-step`, for a run that has less time than all of them take. */
const POINTS = (process.env['LAB_POINTS'] ?? 'after-step,before-step,after-record').split(',');

const homeOnLvm = async (): Promise<Terminal> => {
  const terminal = await emptyHome();
  await terminal.does('init', '--pool', 'qubes_dom0/vm-pool');
  await terminal.does('vm', 'create', 'debian', '--class', 'TemplateVM');
  await terminal.does('vm', 'create', 'work', '--class', 'AppVM', '--template', 'debian');
  return terminal;
};

const session = async (terminal: Terminal, text: string): Promise<void> => {
  await terminal.does('vm', 'start', 'work');
  await terminal.vmWrites(PRIVATE, text);
  await terminal.does('vm', 'stop', 'work');
};

/** State, committed content, and the contents of the revisions as LVM has them, oldest first. */
const seen = async (terminal: Terminal) => {
  const { state, committedPath } = await terminal.info(PRIVATE);
  const kept = (await volumes()).filter((name) => /\/vm-work-private-\d+-back$/.test(name)).sort();
  const paths = [...kept.map((name) => `/dev/${name}`), ...(committedPath === null ? [] : [committedPath])];
  return { state, contents: paths.map((path) => readAt(path, LENGTH)) };
};

describe('the command line on a real thin pool', () => {
  beforeEach(async () => {
    await labPool();
  });
  afterEach(removeAll);

  test('a volume lives through start, write, stop and revert', {
    timeout: PATIENCE,
  }, async () => {
    const terminal = await homeOnLvm();
    await session(terminal, 'first');
    expect(await seen(terminal)).toEqual({ state: 'clean', contents: ['.....', 'first'] });
    await terminal.isSound();
    await session(terminal, 'other');
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('other');
    await terminal.does('volume', 'revert', PRIVATE);
    expect(await terminal.committed(PRIVATE, LENGTH)).toBe('first');
    await terminal.isSound();
  });

  test('a volume lives through import, clone and remove', { timeout: PATIENCE }, async () => {
    const terminal = await homeOnLvm();
    const file = join(terminal.home, 'content.img');
    await writeFile(file, 'third'.repeat(1024));
    // So slow a machine gets to see the progress, which is on stderr.
    expect(await terminal.run(['volume', 'import', PRIVATE, file])).toMatchObject({ code: 0 });
    expect(await terminal.committed(PRIVATE, LENGTH, 5)).toBe('third');
    expect(await terminal.committed(PRIVATE, LENGTH, 8192)).toBe('.....');
    await terminal.isSound();
    await terminal.does('vm', 'clone', 'work', 'copy');
    expect(await terminal.committed('copy:private', LENGTH)).toBe('third');
    await terminal.does('vm', 'remove', 'copy', '--yes');
    await terminal.isSound();
    expect((await volumes()).filter((name) => /vm-copy-.*(?<!-trash-back)$/.test(name))).toEqual([]);
    await terminal.does('gc', '--all', '--yes');
    expect((await volumes()).filter((name) => name.includes('vm-copy-'))).toEqual([]);
    await terminal.does('vm', 'start', 'work');
  });

  for (const point of POINTS) {
    test(`vm stop that is killed at every ${point} ends, after recover, as before it or as after it`, {
      timeout: PATIENCE,
    }, async () => {
      const terminal = await homeOnLvm();
      await terminal.does('vm', 'start', 'work');
      let killed = true;
      let round = 0;
      while (killed) {
        round++;
        const text = `${round}`.padStart(LENGTH, 'x');
        const fault = `kill@${point}:${round}`;
        await terminal.vmWrites(PRIVATE, text);
        const before = await seen(terminal);
        const newest = before.contents.at(-1) ?? '';
        const ended = await terminal.run(['vm', 'stop', 'work'], { env: { DOMTRAIL_FAULT: fault } });
        killed = ended.signal === 'SIGKILL';
        if (!killed) expect({ fault, code: ended.code, err: ended.err }).toEqual({ fault, code: 0, err: '' });
        const recovered = await terminal.run(['recover']);
        expect({ fault, code: recovered.code, err: recovered.err }).toEqual({ fault, code: 0, err: '' });
        expect(await terminal.does('fsck'), fault).toContain(' 0 problems');
        expect([before, { state: 'clean', contents: [newest, text] }], fault).toContainEqual(await seen(terminal));
        await terminal.does('vm', 'start', 'work');
      }
      expect(round).toBeGreaterThan(1);
      await terminal.isSound();
    });
  }
});
