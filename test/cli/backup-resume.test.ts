import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { counted } from '../../domain/counted.ts';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { gzipThat, killedAfter } from './gzip-that.ts';
import { noise } from './noise.ts';
import { starts, until } from './running.ts';
import { expectRefusal, homeWithWork, scratchDirectory, type Terminal, withoutProgress } from './terminal.ts';

const MIB = 2 ** 20;

let terminal: Terminal;
let secret: string;
/** of the contents of `work` and `mail` */
const sha256: string[] = [];

beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'create', 'mail', '--class', 'AppVM', '--template', 'debian');
  secret = join(await scratchDirectory(), 'passphrase');
  writeFileSync(secret, 'open sesame\n');
  for (const vm of ['mail', 'work']) {
    const file = join(await scratchDirectory(), vm);
    writeFileSync(file, noise(vm, 1));
    truncateSync(file, 3 * MIB);
    await terminal.does('volume', 'import', `${vm}:private`, file);
    sha256.push(createHash('sha256').update(readFileSync(file)).digest('hex'));
  }
});

let directory: string;
beforeEach(async () => {
  directory = await scratchDirectory();
});
const file = (): string => join(directory, 'b.qbk');

const withPassphrase = (...words: string[]): string[] => ['backup', ...words, '--passphrase-file', secret];
const create = (...more: string[]): string[] =>
  withPassphrase('create', '-o', file(), '--kdf-cost', '10', ...more, 'mail', 'work');

/** Kills the backup with SIGKILL when so many bytes of its nth stream have come out of the compressor. */
const killed = async (bytes: number, nth = 3): Promise<void> => {
  const env = gzipThat(directory, nth, killedAfter(bytes));
  expect((await terminal.run(create(), { env })).signal).toBe('SIGKILL');
  expect(readdirSync(directory).filter((name) => name.includes('.part'))).not.toEqual([]);
};

const resumed = (): Promise<{ readonly outcome: string; readonly ok: boolean }> =>
  terminal.run([...withPassphrase('resume'), '--json']).then(({ out, err, code }) => {
    expect({ code, err: withoutProgress(err).replace(/^BackupVM cmd:\S+: \d files? complete.*\n/, '') }).toEqual({
      code: 0,
      err: '',
    });
    return (JSON.parse(out) as { item: { outcome: string; ok: boolean } }).item;
  });

const isWhole = async (): Promise<void> => {
  const report = await terminal.item<BackupReport>(...withPassphrase('verify', file()));
  expect(report).toMatchObject({ ok: true, problems: [] });
  expect(report.vms.map(({ files }) => files[0]?.sha256)).toEqual(sha256);
  isTidy(['b.qbk']);
};

const isTidy = (names: readonly string[] = []): void =>
  expect(readdirSync(directory).filter((name) => name !== 'bin')).toEqual(names);

describe('backup resume', () => {
  test.each([
    [0, 2, 0],
    [1_000_000, 3, 1],
  ])('goes on with a backup that was killed after %i bytes of stream %i', async (bytes, nth, complete) => {
    await killed(bytes, nth);
    const ended = await terminal.run(withPassphrase('resume'));
    expect({ code: ended.code, out: ended.out.match(/ ok$/gm)?.length }).toEqual({ code: 0, out: 2 });
    expect(ended.err).toContain(`${counted(complete, 'file')} complete`);
    await isWhole();
  });

  test('until then status says what there is to do, and commands that need nothing of it leave it alone', async () => {
    await killed(200_000);
    const { attention } = await terminal.item<{ attention: readonly { problem: string; next: string }[] }>('status');
    expect(attention).toMatchObject([
      {
        problem: 'the backup b.qbk was interrupted and waits to go on',
        next: expect.stringMatching(/^domtrail backup resume (\w+) {3}or {3}domtrail backup cancel \1$/),
      },
    ]);
    const other = await terminal.run(['label', 'add', `l${Date.now()}`, '0x123456']);
    expect(other).toMatchObject({ code: 0, err: '' });
    const plan = await terminal.run(['recover', '--plan']);
    expect(plan.out).toMatch(/would be given up \(domtrail backup resume \w+ goes on\)/);
    expectRefusal(await terminal.run(['undo', '--yes']), 'D_BUSY');
    expect(await resumed()).toMatchObject({ outcome: 'completed', ok: true });
    await isWhole();
    await terminal.isSound();
  });

  test('wants the passphrase of then; with another one everything stays as it is', async () => {
    await killed(200_000);
    const wrong = join(directory, 'bin/wrong');
    writeFileSync(wrong, 'open barley\n');
    expectRefusal(await terminal.run(['backup', 'resume', '--passphrase-file', wrong]), 'D_VERIFY');
    expectRefusal(await terminal.run(['backup', 'resume']), 'D_USAGE');
    expectRefusal(await terminal.run(withPassphrase('resume', 'nothing')), 'D_NOT_FOUND');
    writeFileSync(file(), 'somebody was faster');
    expectRefusal(await terminal.run(withPassphrase('resume')), 'D_EXISTS');
    expect(readFileSync(file(), 'utf8')).toBe('somebody was faster');
    await terminal.does('cancel');
    isTidy(['b.qbk']);
    expectRefusal(await terminal.run(withPassphrase('resume')), 'D_NOT_FOUND');
  });

  test('the same key again neither makes a second one nor says that it is done', async () => {
    const env = gzipThat(directory, 3, 'kill -KILL $PPID\nexec sleep 5');
    await terminal.run(create('--id', `weekly-${directory.slice(-6)}`), { env });
    const again = await terminal.run(create('--id', `weekly-${directory.slice(-6)}`));
    expectRefusal(again, 'D_BUSY');
    expect(again.err).toMatch(/next: domtrail backup resume weekly-/);
    await terminal.does('backup', 'cancel', `weekly-${directory.slice(-6)}`);
    isTidy();
  });

  test('does not mix what somebody wrote to a file in between with the rest: that file is named', async () => {
    await killed(200_000);
    const { committedPath } = await terminal.info('work:private');
    const { mtime } = (await import('node:fs')).statSync(committedPath ?? '');
    utimesSync(committedPath ?? '', mtime, new Date(mtime.getTime() + 1000));
    const ended = await terminal.run(withPassphrase('resume'));
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      /error\[D_INCOMPLETE\][\s\S]*work: private\.img: somebody wrote to it while the backup was/,
    );
    const report = await terminal.run(withPassphrase('verify', file()));
    expect(report.code).toBe(6);
    expect(report.out).toMatch(/mail +private\.img .* ok\n/);
  });

  test('a command that needs what it holds gives it up, and recover does', async () => {
    await killed(200_000);
    const started = await terminal.run(['vm', 'start', 'work']);
    expect(started).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^recovered: BackupVM \(cmd:\w+\) abandoned\n$/),
    });
    await terminal.does('vm', 'stop', 'work', '--discard');
    isTidy();
    directory = await scratchDirectory();
    await killed(200_000);
    expect(await terminal.recovers()).toMatch(/BackupVM .* abandoned[\s\S]*given up/);
    isTidy();
    await terminal.isSound();
  });
});

describe('cancel', () => {
  test('ends a backup of another process, which leaves nothing and exits with 130', async () => {
    const env = gzipThat(directory, 3, 'gzip -c | head -c 100000\nexec sleep 60');
    terminal.env = env;
    const running = starts(terminal, ...create());
    terminal.env = {};
    await until(() => readdirSync(directory).some((name) => name.endsWith('.done')), running.err);
    expectRefusal(await terminal.run(withPassphrase('resume')), 'D_BUSY');
    const { attention } = await terminal.item<{ attention: readonly { next: string }[] }>('status');
    expect(attention[0]?.next).toMatch(/^domtrail backup cancel \w+$/);
    expect(await terminal.does('cancel')).toMatch(/^BackupVM cmd:\w+ cancelled: nothing of it is left\n$/);
    expect(await running.ends('SIGCONT')).toBe(130);
    isTidy();
    expect(await terminal.does('cancel')).toBe('no backup is under way\n');
    await terminal.isSound();
  });

  test('gives up an interrupted one, by its backup-id too', async () => {
    await killed(200_000);
    const [part = ''] = readdirSync(directory).filter((name) => name.endsWith('.part'));
    const [, id = ''] = /\.(\w+-\w+)\.part$/.exec(part) ?? [];
    expectRefusal(await terminal.run(['cancel', 'nothing']), 'D_NOT_FOUND');
    expect((await terminal.item<{ outcome: string }>('backup', 'cancel', id)).outcome).toBe('abandoned');
    isTidy();
    expect(await terminal.does('recover')).toBe('nothing to recover\n');
  });
});
