import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DOMTRAIL, environment, expectRefusal, homeWithWork, type Terminal } from './terminal.ts';

type Holder = { readonly child: ChildProcess; readonly id: string };

/** An import whose data does not end: it holds the ledger from here on. */
const startImport = async (terminal: Terminal, id: string): Promise<Holder> => {
  const argv = [DOMTRAIL, 'volume', 'import', 'work:private', '-', '--id', id];
  const child = spawn(process.execPath, argv, { env: environment(terminal.home), stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin?.on('error', () => undefined);
  child.stdin?.write('first');
  for (;;) {
    const { state } = await terminal.info('work:private');
    if (state === 'importing') return { child, id };
    await pause(50);
  }
};

const end = async ({ child }: Holder): Promise<number | null> => {
  const ended = once(child, 'close');
  child.stdin?.end('last');
  const [code] = (await ended) as [number | null];
  return code;
};

const kill = async ({ child }: Holder): Promise<void> => {
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
};

describe('while one command works', () => {
  test('another change is busy with exit 5 and prints the id of the holder; reading goes on', async () => {
    const terminal = await homeWithWork();
    const holder = await startImport(terminal, 'long-import');
    try {
      for (const argv of [
        ['vm', 'start', 'debian'],
        ['volume', 'resize', 'work:private', '4G'],
        ['recover'],
        ['gc', '--yes'],
      ]) {
        const ended = await terminal.run(argv);
        expect(ended.err, argv.join(' ')).toContain('long-import');
        expectRefusal(ended, 'D_BUSY');
      }
      const ended = await terminal.run(['vm', 'start', 'debian', '--json']);
      expect(JSON.parse(ended.err)).toMatchObject({ error: { code: 'D_BUSY', holder: 'long-import' } });
      await terminal.does('status');
      await terminal.does('vm', 'list');
      await terminal.does('log');
      await terminal.does('verify');
    } finally {
      expect(await end(holder)).toBe(0);
    }
    expect(await terminal.committed('work:private', 9)).toBe('firstlast');
    await terminal.isSound();
  });

  test('--wait waits for it, and gives up with exit 5 when the time is over', async () => {
    const terminal = await homeWithWork();
    const holder = await startImport(terminal, 'long-import');
    expectRefusal(await terminal.run(['vm', 'start', 'work', '--wait', '1']), 'D_BUSY');
    const waiting = terminal.run(['vm', 'start', 'debian', '--wait', '60']);
    expect(await Promise.race([waiting.then(() => 'ended'), pause(1000, 'waiting')])).toBe('waiting');
    expect(await end(holder)).toBe(0);
    expect(await waiting).toMatchObject({ code: 0, err: '' });
    await terminal.isSound();
  });

  test('its death frees the ledger: the import is undone, and the volume is as before', async () => {
    const terminal = await homeWithWork();
    const holder = await startImport(terminal, 'long-import');
    await kill(holder);
    const next = await terminal.run(['vm', 'start', 'debian']);
    expect(next.code).toBe(0);
    expect(next.err).toMatch(/^recovered: ImportVolume \(cmd:long-import\) /m);
    expect(await terminal.info('work:private')).toMatchObject({ state: 'clean', revisions: [] });
    expect(await terminal.committed('work:private', 5)).toBe('.....');
    await terminal.isSound();
  });
});
