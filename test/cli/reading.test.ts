import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { EXIT_OF } from '../../domain/failure.ts';
import {
  DOMTRAIL,
  type Document,
  environment,
  expectRefusal,
  homeWithWork,
  scratchDirectory,
  Terminal,
  type VmItem,
} from './terminal.ts';

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
let terminal: Terminal;

// Reading changes nothing, so all tests read the same home.
beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work', '--id', 'the-start', '-m', 'good morning');
  await terminal.vmWrites('work:private', 'monday');
  await terminal.does('vm', 'stop', 'work');
  await terminal.run(['vm', 'start', 'nobody']);
  await terminal.does('vm', 'features', 'work', 'greeting', '\u202egnp.exe\u0085\u009b31m');
}, 120_000);

type Event = {
  readonly position: number;
  readonly time: string;
  readonly type: string;
  readonly command: string;
  readonly data: Record<string, unknown>;
};
type Command = { readonly id: string; readonly outcome: string; readonly firstPosition: number };

describe('documents for programs', () => {
  const documents: readonly (readonly [schema: string, shape: 'item' | 'items', ...argv: string[]])[] = [
    ['vm-list', 'items', 'vm', 'list'],
    ['volume-list', 'items', 'volume', 'list'],
    ['volume-list', 'items', 'volume', 'list', 'work'],
    ['volume-info', 'item', 'volume', 'info', 'work:private'],
    ['pool-list', 'items', 'pool', 'list'],
    ['log', 'items', 'log'],
    ['log', 'items', 'log', '--commands'],
    ['log', 'items', 'log', 'work:private', '-n', '1'],
    ['fsck', 'items', 'fsck'],
    ['witness', 'items', 'witness'],
    ['recover', 'items', 'recover'],
    ['status', 'item', 'status'],
    ['verify', 'item', 'verify'],
    ['replay', 'item', 'replay'],
    ['xml', 'item', 'xml'],
    ['show', 'item', 'show', 'ev:3'],
    ['show', 'item', 'show', 'cmd:the-start'],
    ['explain', 'items', 'explain'],
    ['explain', 'item', 'explain', 'D_DIRTY'],
    ['init', 'item', 'init'],
    ['vm-stop', 'item', 'vm', 'stop', 'work'],
  ];
  test.each(documents)('%s has %s (%s %s)', async (schema, shape, ...argv) => {
    const document = await terminal.document(...argv);
    expect(document.schema).toBe(`domtrail/${schema}/1`);
    expect(Object.keys(document).sort()).toEqual(['as_of', shape, 'schema']);
    expect(document.as_of.event).toEqual(expect.any(Number));
    if (document.as_of.time !== null) expect(document.as_of.time).toMatch(RFC3339);
    if (shape === 'items') expect(document.items).toBeInstanceOf(Array);
    else expect(document.item).toBeInstanceOf(Object);
  });
});

describe('the log', () => {
  test('gives every event, oldest first, without a gap, with the documented fields', async () => {
    const { items = [], as_of } = await terminal.document<Event>('log');
    expect(items.map(({ position }) => position)).toEqual(items.map((_, index) => index + 1));
    expect(items).toHaveLength(as_of.event);
    for (const item of items) {
      expect(item).toMatchObject({
        type: expect.any(String),
        stream: expect.any(String),
        version: expect.any(Number),
        schemaVersion: expect.any(Number),
        actor: { uid: process.getuid?.() },
        data: expect.any(Object),
      });
      expect(item.time).toMatch(RFC3339);
    }
    const step = items.find(({ type }) => type === 'StepDone');
    expect(step).toMatchObject({
      argv: expect.any(Array),
      durationMs: expect.any(Number),
      found: false,
      lvUuid: expect.any(String),
    });
    expect(step).toHaveProperty('exitCode');
  });

  test('--jsonl gives the same events, a line each', async () => {
    const lines = (await terminal.does('log', '--jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    expect(lines).toEqual(await terminal.items<Event>('log'));
  });

  test('--commands has the refused ones too', async () => {
    const commands = await terminal.items<Command>('log', '--commands');
    expect(commands.find(({ id }) => id === 'the-start')).toMatchObject({
      name: 'StartVM',
      payload: { name: 'work' },
      reason: 'good morning',
      outcome: 'completed',
      error: null,
    });
    expect(commands.filter(({ outcome }) => outcome === 'rejected')).toMatchObject([
      { name: 'StartVM', error: { code: 'D_NOT_FOUND' } },
    ]);
  });

  test('of an object, of a type, of a range', async () => {
    const all = await terminal.items<Event>('log');
    const ofType = await terminal.items<Event>('log', '--type', 'VmStarted');
    expect(ofType).toEqual(all.filter(({ type }) => type === 'VmStarted'));
    expect(await terminal.items<Event>('log', '--since', 'ev:5', '--until', 'ev:7')).toEqual(all.slice(4, 7));
    expect(await terminal.items<Event>('log', 'cmd:the-start')).toEqual(
      all.filter(({ command }) => command === 'the-start'),
    );
    expect(await terminal.items<Event>('log', '-n', '2', '-r')).toEqual(all.slice(-2).reverse());
  });

  test('of a volume, a VM and a disk, by the index and as a search through everything finds it', async () => {
    const all = await terminal.items<Event>('log');
    const about = (text: string) => all.filter((one) => JSON.stringify(one).includes(text));
    const { disk } = await terminal.item<{ disk: string }>('volume', 'info', 'work:private');
    const ofVolume = await terminal.items<Event>('log', 'work:private');
    const ofVm = await terminal.items<Event>('log', 'work');
    expect(ofVolume.map(({ type }) => type)).toContain('SessionCommitted');
    for (const one of ofVolume) expect(about('work:private')).toContainEqual(one);
    for (const one of ofVolume) expect(ofVm).toContainEqual(one);
    expect(await terminal.items<Event>('log', disk)).toEqual(about(disk));
    expect(await terminal.items<Event>('log', 'work:private', '-n', '2')).toEqual(ofVolume.slice(-2));
    expect(await terminal.items<Event>('log', 'work:private', '--at', `ev:${ofVolume[0]?.position}`)).toEqual([
      ofVolume[0],
    ]);
  });

  test('by a pattern, and since the host came up', async () => {
    const all = await terminal.items<Event>('log');
    const started = all.filter(({ type }) => type === 'VmStarted');
    expect(await terminal.items<Event>('log', '-g', 'vmst.rted')).toEqual(started);
    expectRefusal(await terminal.run(['log', '-g', '(']), 'D_USAGE');
    expect(await terminal.items<Event>('log', '-b')).toEqual(all);
    const rebooted = await homeWithWork();
    const before = (await rebooted.items<Event>('log')).length;
    rebooted.env = { DOMTRAIL_BOOT_ID: 'the-next-boot' };
    await rebooted.does('vm', 'prefs', 'work', 'memory', '400');
    const since = await rebooted.items<Event>('log', '-b');
    expect(since).toEqual((await rebooted.items<Event>('log')).slice(before));
    expect(since.length).toBeGreaterThan(0);
  });

  test('show, blame and lineage name the command that made a disk', async () => {
    expect(await terminal.does('show', 'the-start')).toMatch(/outcome +completed/);
    const blame = await terminal.does('blame', 'work:private');
    expect(blame).toMatch(/StartVM cmd:the-start by .*good morning/);
    const lineage = await terminal.does('lineage', 'work:private');
    expect(lineage).toContain((await terminal.item<{ disk: string }>('volume', 'info', 'work:private')).disk);
    expectRefusal(await terminal.run(['blame', 'nobody']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['lineage', 'nobody:private']), 'D_NOT_FOUND');
  });
});

describe('the past', () => {
  test('--at an event or a time shows the host as it was then', async () => {
    const started = (await terminal.items<Event>('log', '--type', 'VmStarted'))[0];
    const stateAt = async (at: string) =>
      (await terminal.items<VmItem>('vm', 'list', '--at', at)).find(({ name }) => name === 'work')?.state;
    expect(await stateAt(`ev:${started?.position}`)).toBe('Running');
    expect(await stateAt(`${(started?.position ?? 0) - 1}`)).toBe('Halted');
    expect(await stateAt('@')).toBe('Halted');
    expect(await terminal.items('vm', 'list', '--at', '2020-01-01T00:00:00Z')).toEqual([]);
    expect(await stateAt('2999-01-01T00:00:00Z')).toBe('Halted');
    const then = (await terminal.document('status', '--at', 'ev:5')).as_of;
    expect(then.event).toBe(5);
    expect(await terminal.does('xml', '--at', 'ev:5')).not.toContain('work');
  });

  test('xml is what lies in qubes.xml', async () => {
    expect(await terminal.does('xml')).toBe(readFileSync(join(terminal.home, 'qubes.xml'), 'utf8'));
  });

  test('--db reads a copy of the ledger, without any home', async () => {
    const dir = await scratchDirectory();
    const copy = join(dir, 'copy.db');
    copyFileSync(join(terminal.home, 'ledger.db'), copy);
    const nowhere = new Terminal(join(dir, 'nowhere'));
    expect(await nowhere.items('vm', 'list', '--db', copy)).toEqual(await terminal.items('vm', 'list'));
    for (const argv of [['log'], ['verify'], ['replay'], ['status'], ['xml'], ['show', 'ev:3']])
      await nowhere.does(...argv, '--db', copy);
    expectRefusal(await nowhere.run(['vm', 'list', '--db', join(dir, 'none.db')]), 'D_HOME_MISSING');
  });
});

describe('for people', () => {
  test('help fits a screen of 80 columns, and every command has its page', async () => {
    const page = await terminal.does('help');
    for (const line of page.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    expect(await terminal.does()).toBe(page);
    expect(await terminal.does('--help')).toBe(page);
    for (const topic of [
      'init',
      'pool',
      'vm',
      'volume',
      'status',
      'log',
      'watch',
      'serve',
      'show',
      'blame',
      'why',
      'bisect',
      'lineage',
      'recover',
      'fsck',
      'gc',
      'adopt',
      'witness',
      'verify',
      'xml',
      'replay',
      'explain',
      'completion',
    ]) {
      const text = await terminal.does('help', topic);
      expect(text, topic).toBe(await terminal.does(topic, '--help'));
      expect(text.trimEnd().split('\n').length, topic).toBeLessThanOrEqual(30);
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(90);
    }
  }, 60_000);

  test('explain has a text for every code', async () => {
    const items = await terminal.items<{ code: string; exit: number; text: string }>('explain');
    expect(items.map(({ code, exit }) => [code, exit])).toEqual(Object.entries(EXIT_OF));
    for (const { text } of items) expect(text.length).toBeGreaterThan(10);
    expect(await terminal.does('explain', 'D_BUSY')).toContain('D_BUSY (exit 5)');
  });

  test('what comes from a VM is escaped: no control characters, no reordering', async () => {
    for (const argv of [
      ['vm', 'features', 'work'],
      ['vm', 'features', 'work', 'greeting'],
      ['log'],
      ['log', '--commands'],
      ['show', 'ev:3'],
    ]) {
      const text = await terminal.does(...argv);
      expect(text, argv.join(' ')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }
    expect(await terminal.does('vm', 'features', 'work', 'greeting')).toBe('\\u{202e}gnp.exe\\x85\\x9b31m\n');
    expectRefusal(await terminal.run(['vm', 'features', 'work', 'greeting', 'a\u001b[2J']), 'D_BAD_INPUT');
    const refused = await terminal.run(['vm', 'start', 'a\u009b31m\u202e']);
    expect(refused.err).not.toMatch(/[\u0080-\u009f\u202e]/);
  });

  test('a pipe that closes early ends the output quietly', async () => {
    for (const argv of [['log', '--json'], ['log'], ['help'], ['xml']]) {
      const child = spawn(process.execPath, [DOMTRAIL, ...argv], {
        env: environment(terminal.home),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout.destroy();
      let talk = '';
      child.stderr.on('data', (chunk: Buffer) => {
        talk += chunk.toString('utf8');
      });
      const [code] = (await once(child, 'close')) as [number | null];
      expect({ argv, code, talk }).toEqual({ argv, code: 0, talk: '' });
    }
  });

  const script = spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0;
  test.skipIf(!script)('tables fit a terminal, also one that does not say how wide it is', () => {
    for (const words of ['log', 'log --commands', 'vm list', 'volume list', 'pool list']) {
      const { stdout } = spawnSync('script', ['-q', '-e', '-c', `"$NODE" "$DOMTRAIL" ${words}`, '/dev/null'], {
        env: { ...environment(terminal.home), NODE: process.execPath, DOMTRAIL, TERM: 'dumb' },
        stdio: ['ignore', 'pipe', 'ignore'],
        encoding: 'utf8',
      });
      const lines = stdout.replaceAll('\r', '').trimEnd().split('\n');
      expect(lines.length, words).toBeGreaterThan(1);
      expect(Math.max(...lines.map((line) => line.length)), words).toBeLessThanOrEqual(80);
      expect(lines[0], words).toMatch(/[A-Z]$/);
      expect(stdout).not.toContain('\u001b');
    }
  });

  test('completion prints a script for bash, and the names of this home', async () => {
    expect(await terminal.does('completion', 'bash')).toContain('complete -F _domtrail domtrail');
    expect((await terminal.does('completion', 'words')).trimEnd().split('\n')).toEqual(
      expect.arrayContaining(['work', 'work:private', 'debian:root']),
    );
  });

  test('version is the one of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await terminal.does('version')).toContain(version);
    expect(await terminal.does('--version')).toContain(version);
  });

  test('an unfinished command is what status and fsck speak of', async () => {
    const own = await homeWithWork();
    await own.run(['vm', 'start', 'work'], { env: { DOMTRAIL_FAULT: 'kill@after-step:2' } });
    expect(await own.does('status')).toMatch(
      /ATTENTION\n {2}cmd:[0-9a-f]{8} {2}StartVM is unfinished\n {6}next: domtrail recover/,
    );
    const fsck = await own.run(['fsck', '--json']);
    expect(fsck.code).toBe(2);
    const { items = [] } = JSON.parse(fsck.out) as Document<{ kind: string; repair: string | null }>;
    expect(items).toContainEqual(expect.objectContaining({ kind: 'operation', repair: 'domtrail recover' }));
    await own.does('recover');
    await own.isSound();
  });
});
