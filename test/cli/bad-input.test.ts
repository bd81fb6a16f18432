import {
  chmodSync,
  chownSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import type { Code } from '../../domain/failure.ts';
import {
  DOMTRAIL,
  emptyHome,
  environment,
  expectRefusal,
  homeWithWork,
  runProgram,
  type Terminal,
} from './terminal.ts';

const LONG = 'x'.repeat(200);

/** Every file of the pools with its content's beginning, its size and its inode: what must not change. */
const storageOf = (terminal: Terminal): readonly string[] =>
  readdirSync(join(terminal.home, 'pools'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${file} ${statSync(file).ino} ${statSync(file).size} ${statSync(file).mtimeMs}`)
    .sort();

describe('bad arguments', () => {
  const refusals: readonly (readonly [code: Code, ...argv: string[]])[] = [
    ...['../x', 'a b', LONG, '', '.', 'a/b', 'x;y', 'none', 'default', 'x-dm', '1st', 'é', 'a\u001b[2Jb', 'a\nb'].map(
      (name): readonly [Code, ...string[]] => ['D_BAD_INPUT', 'vm', 'create', name, '--class', 'StandaloneVM'],
    ),
    ['D_USAGE', 'vm', 'create', '-rf', '--class', 'StandaloneVM'],
    ['D_BAD_INPUT', 'vm', 'create', '--class', 'StandaloneVM', '--', '-rf'],
    ['D_BAD_INPUT', 'vm', 'start', '../x'],
    ['D_BAD_INPUT', 'vm', 'clone', 'work', 'a b'],
    ['D_BAD_INPUT', 'vm', 'create', 'x', '--class', 'MainframeVM'],
    ['D_EXISTS', 'vm', 'create', 'work', '--class', 'StandaloneVM'],
    ['D_EXISTS', 'vm', 'clone', 'debian', 'work'],
    ['D_CLASS_REFUSES', 'vm', 'start', 'dom0'],
    ['D_CLASS_REFUSES', 'vm', 'remove', 'dom0', '--yes'],
    ['D_NOT_FOUND', 'vm', 'start', 'nobody'],
    ['D_NOT_FOUND', 'vm', 'stop', 'nobody'],
    ['D_NOT_FOUND', 'vm', 'remove', 'nobody', '--yes'],
    ['D_NOT_FOUND', 'vm', 'prefs', 'nobody'],
    ['D_NOT_FOUND', 'volume', 'list', 'nobody'],
    ['D_NOT_FOUND', 'volume', 'info', 'work:nothing'],
    ['D_NOT_FOUND', 'volume', 'info', 'nobody:private'],
    ['D_BAD_INPUT', 'volume', 'info', 'work'],
    ['D_BAD_INPUT', 'volume', 'info', 'work:../private'],
    ['D_BAD_INPUT', 'volume', 'add', 'work', 'x-snap', '--size', '1G'],
    ['D_NOT_FOUND', 'volume', 'revert', 'work:private', '99'],
    ['D_NOT_FOUND', 'volume', 'revert', 'work:private'],
    ['D_BAD_INPUT', 'volume', 'revert', 'work:private', '../../ledger.db'],
    ['D_NOT_FOUND', 'volume', 'pin', 'work:private', '99'],
    ['D_USAGE', 'volume', 'resize', 'work:private', '-1'],
    ...['1.5G', 'abc', '99999999999999999999', '0', '', '1e9', '0x10', '+5', '9999P', '1 G', '٣G'].map(
      (size): readonly [Code, ...string[]] => ['D_BAD_INPUT', 'volume', 'resize', 'work:private', size],
    ),
    ['D_BAD_INPUT', 'volume', 'resize', 'work:private', '--', '-1'],
    ['D_SHRINK', 'volume', 'resize', 'work:private', '512'],
    ['D_USAGE', 'volume', 'add', 'work', 'extra', '--size', '-1'],
    ['D_BAD_INPUT', 'volume', 'add', 'work', 'extra', '--size=-1'],
    ['D_BAD_INPUT', 'volume', 'set', 'work:private', 'revisions_to_keep=many'],
    ['D_USAGE', 'volume', 'set', 'work:private', 'colour=red'],
    ['D_USAGE', 'volume', 'set', 'work:private', '__proto__=1'],
    ['D_NOT_FOUND', 'volume', 'import', 'work:private', '/nonexistent/file'],
    ['D_BAD_INPUT', 'volume', 'import', 'work:private', '/'],
    ['D_BAD_INPUT', 'volume', 'import', 'work:private', '/dev/null'],
    ['D_NOTHING_COMMITTED', 'volume', 'export', 'work:volatile'],
    ['D_REFERENCE_INVALID', 'vm', 'create', 'x', '--class', 'AppVM', '--template', 'nobody'],
    ['D_REFERENCE_INVALID', 'vm', 'create', 'x', '--class', 'AppVM'],
    ['D_CLASS_REFUSES', 'vm', 'create', 'x', '--class', 'TemplateVM', '--template', 'debian'],
    ['D_NOT_FOUND', 'vm', 'create', 'x', '--class', 'StandaloneVM', '--label', 'mauve'],
    ['D_NOT_FOUND', 'vm', 'create', 'x', '--class', 'StandaloneVM', '--pool', 'nowhere'],
    ['D_REFERENCE_INVALID', 'vm', 'prefs', 'work', 'netvm', 'debian'],
    ['D_PROPERTY_INVALID', 'vm', 'prefs', 'work', 'memory', 'lots'],
    ['D_PROPERTY_INVALID', 'vm', 'prefs', 'work', 'constructor', 'x'],
    ['D_PROPERTY_INVALID', 'vm', 'prefs', 'work', 'autostart', 'constructor'],
    ['D_USAGE', 'frobnicate'],
    ['D_USAGE', 'vm', 'frobnicate'],
    ['D_USAGE', 'vm', 'toString'],
    ['D_USAGE', 'vm'],
    ['D_USAGE', 'vm', 'create'],
    ['D_USAGE', 'vm', 'create', 'x'],
    ['D_USAGE', 'vm', 'start', 'work', 'work2'],
    ['D_USAGE', 'vm', 'start', 'work', '--frobnicate'],
    ['D_USAGE', 'vm', 'start', 'work', '--wait', 'soon'],
    ['D_BAD_INPUT', 'vm', 'start', 'work', '--id', 'a b'],
    ['D_BAD_INPUT', 'vm', 'start', 'work', '--id', '../x'],
    ['D_BAD_INPUT', 'vm', 'start', 'work', '-m', 'x'.repeat(5000)],
    ['D_USAGE', 'status', '--at', 'soon'],
    ['D_NOT_FOUND', 'status', '--at', 'ev:9999'],
    ['D_NOT_FOUND', 'show', 'ev:9999'],
    ['D_NOT_FOUND', 'show', 'cmd:0000'],
    ['D_NOT_FOUND', 'explain', 'D_NONSENSE'],
    ['D_NOT_FOUND', 'explain', 'toString'],
  ];

  test('each is one coded line, or one JSON document, with the documented exit code, and changes no storage', {
    timeout: 180_000,
  }, async () => {
    const terminal = await homeWithWork();
    const before = storageOf(terminal);
    for (const [code, ...argv] of refusals) {
      const ended = await terminal.run(argv);
      expect(ended.err, argv.join(' ')).toContain(`error[${code}]`);
      expectRefusal(ended, code);
      expect(ended.err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    for (const [code, ...argv] of refusals.filter((_, index) => index % 5 === 0)) {
      const separator = argv.indexOf('--');
      const at = separator < 0 ? argv.length : separator;
      const ended = await terminal.run(argv.toSpliced(at, 0, '--json'));
      expect(JSON.parse(ended.err), argv.join(' ')).toMatchObject({ error: { code, message: expect.any(String) } });
      expect(ended.out).toBe('');
    }
    expect(storageOf(terminal)).toEqual(before);
    await terminal.isSound();
  });

  test('a fault point that does not exist is refused instead of ignored', async () => {
    const terminal = await homeWithWork();
    for (const fault of [
      'kill',
      'kill@after-step',
      'kill@after-step:0',
      'kill@before-commit:1',
      'kill@after-step:1;',
    ]) {
      expectRefusal(await terminal.run(['vm', 'start', 'work'], { env: { DOMTRAIL_FAULT: fault } }), 'D_USAGE');
    }
  });

  test('the refusals of a decider are in the log, with their reason', async () => {
    const terminal = await homeWithWork();
    await terminal.run(['vm', 'create', 'work', '--class', 'TemplateVM', '-m', 'by mistake']);
    const commands = await terminal.items<Record<string, unknown>>('log', '--commands');
    expect(commands.at(-1)).toMatchObject({
      name: 'CreateVM',
      outcome: 'rejected',
      reason: 'by mistake',
      error: { code: 'D_EXISTS' },
    });
  });
});

describe('--id', () => {
  test('the same key and command is done once and gives the first outcome again', async () => {
    const terminal = await homeWithWork();
    const first = await terminal.item<{ repeated: boolean }>('vm', 'start', 'work', '--id', 'key-1');
    await terminal.does('vm', 'stop', 'work');
    const again = await terminal.item<{ repeated: boolean }>('vm', 'start', 'work', '--id', 'key-1');
    expect(again).toMatchObject({ command: 'key-1', outcome: 'completed', repeated: true });
    expect(first.repeated).toBe(false);
    expect(await terminal.stateOf('work')).toBe('Halted');
    const refused = ['vm', 'start', 'nobody', '--id', 'key-2'];
    expectRefusal(await terminal.run(refused), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(refused), 'D_NOT_FOUND');
    const ids = (await terminal.items<{ id: string }>('log', '--commands')).map(({ id }) => id);
    expect(ids.filter((id) => id.startsWith('key-'))).toEqual(['key-1', 'key-2']);
  });

  test('with another payload it is refused', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'start', 'work', '--id', 'key');
    expectRefusal(await terminal.run(['vm', 'start', 'debian', '--id', 'key']), 'D_COMMAND_ID_REUSED');
    expectRefusal(await terminal.run(['vm', 'stop', 'work', '--id', 'key']), 'D_COMMAND_ID_REUSED');
    expect([await terminal.stateOf('work'), await terminal.stateOf('debian')]).toEqual(['Running', 'Halted']);
  });
});

type Damage = { readonly what: string; readonly code: Code; readonly damage: (file: string) => void };

const sql = (file: string, text: string): void => {
  const db = new SQLite(file);
  db.exec(text);
  db.close();
};

describe('a ledger that is not one', () => {
  const damages: readonly Damage[] = [
    { what: 'empty', code: 'D_HOME_UNREADABLE', damage: (file) => truncateSync(file, 0) },
    { what: 'cut off inside its header', code: 'D_HOME_UNREADABLE', damage: (file) => truncateSync(file, 60) },
    {
      what: 'cut off in the middle',
      code: 'D_HOME_UNREADABLE',
      damage: (file) => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096),
    },
    {
      what: 'garbage',
      code: 'D_HOME_UNREADABLE',
      damage: (file) => writeFileSync(file, 'not a database at all\n'.repeat(500)),
    },
    {
      what: 'a foreign SQLite database',
      code: 'D_HOME_FOREIGN',
      damage: (file) => {
        rmSync(file);
        sql(file, 'CREATE TABLE events (position); PRAGMA user_version = 1');
      },
    },
    { what: 'of a newer schema', code: 'D_HOME_NEWER', damage: (file) => sql(file, 'PRAGMA user_version = 99') },
  ];

  for (const { what, code, damage } of damages) {
    test(`${what}: refused by reading and changing commands alike, and left as it is`, async () => {
      const terminal = await homeWithWork();
      const file = join(terminal.home, 'ledger.db');
      const copy = join(terminal.home, 'kept');
      copyFileSync(file, copy);
      damage(file);
      const bytes = readFileSync(file);
      const storage = storageOf(terminal);
      for (const argv of [['status'], ['vm', 'list'], ['log'], ['fsck'], ['vm', 'start', 'work'], ['recover']]) {
        const ended = await terminal.run(argv);
        expect(ended.err, argv.join(' ')).toContain(`error[${code}]`);
        expectRefusal(ended, code);
      }
      expect((await terminal.run(['init'])).code, 'init').not.toBe(0);
      expect((await terminal.run(['verify'])).code, 'verify').not.toBe(0);
      expect(readFileSync(file).equals(bytes)).toBe(true);
      expect(storageOf(terminal)).toEqual(storage);
      rmSync(`${file}-wal`, { force: true });
      rmSync(`${file}-shm`, { force: true });
      copyFileSync(copy, file);
      await terminal.does('vm', 'start', 'work');
      await terminal.isSound();
    });
  }

  test('an edited event is found by verify, with its position', async () => {
    const terminal = await homeWithWork();
    const copy = join(terminal.home, 'copy.db');
    copyFileSync(join(terminal.home, 'ledger.db'), copy);
    const db = new SQLite(copy);
    for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all() as {
      name: string;
    }[])
      db.exec(`DROP TRIGGER "${name}"`);
    db.prepare("UPDATE events SET data = replace(data, 'debian', 'gentoo') WHERE position = 9").run();
    db.close();
    const ended = await terminal.run(['verify', '--db', copy, '--json']);
    expect(ended.code).toBe(6);
    expect(JSON.parse(ended.out)).toMatchObject({
      schema: 'domtrail/verify/1',
      item: { ok: false, firstBadPosition: 9 },
    });
  });
});

/** As a user whom permissions bind: root would write anyway. */
const asNobody = (terminal: Terminal, argv: readonly string[]) => {
  const root = process.getuid?.() === 0;
  return runProgram([process.execPath, DOMTRAIL, ...argv], environment(terminal.home), root ? { user: 65534 } : {});
};

describe('a home that cannot be written', () => {
  test('is read as always; a change is refused with a code and leaves everything as it was', async () => {
    const terminal = await homeWithWork();
    const dirs = [terminal.home, dirname(terminal.home)];
    const files = readdirSync(terminal.home, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(terminal.home, name),
    );
    if (process.getuid?.() === 0) for (const path of [...dirs, ...files]) chownSync(path, 65534, 65534);
    chmodSync(join(terminal.home, 'ledger.db'), 0o400);
    chmodSync(terminal.home, 0o500);
    try {
      expect(await asNobody(terminal, ['vm', 'list', '--json'])).toMatchObject({ code: 0, err: '' });
      expect(await asNobody(terminal, ['verify'])).toMatchObject({ code: 0, err: '' });
      expectRefusal(await asNobody(terminal, ['vm', 'start', 'work']), 'D_HOME_UNREADABLE');
      expectRefusal(await asNobody(terminal, ['recover']), 'D_HOME_UNREADABLE');
    } finally {
      chmodSync(terminal.home, 0o700);
      chmodSync(join(terminal.home, 'ledger.db'), 0o600);
    }
    expect(await asNobody(terminal, ['vm', 'start', 'work'])).toMatchObject({ code: 0, err: '' });
  });

  test('cannot be made where the directory is not ours, or where a file is in the way', async () => {
    const terminal = await emptyHome();
    chmodSync(dirname(terminal.home), 0o555);
    expectRefusal(await asNobody(terminal, ['init']), 'D_HOME_UNREADABLE');
    chmodSync(dirname(terminal.home), 0o755);
    writeFileSync(terminal.home, 'a file');
    for (const argv of [['init'], ['status'], ['vm', 'start', 'work']]) {
      expectRefusal(await terminal.run(argv), 'D_HOME_UNREADABLE');
    }
    expect(readFileSync(terminal.home, 'utf8')).toBe('a file');
  });

  test('with its ledger lost, is not started anew over the disks that are there', async () => {
    const terminal = await homeWithWork();
    const before = storageOf(terminal);
    rmSync(join(terminal.home, 'ledger.db'));
    const ended = await terminal.run(['init']);
    expectRefusal(ended, 'D_HOME_UNREADABLE');
    expect(ended.err).toContain('put a copy');
    expect(storageOf(terminal)).toEqual(before);
  });
});
