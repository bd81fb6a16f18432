import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { expectRefusal, homeWithWork, scratchDirectory, type Terminal, withoutProgress, writeAt } from './terminal.ts';

const PASSPHRASE = 'a pass phrase, with ü';
const MIB = 2 ** 20;

let place: string;
let secret: string;
let terminal: Terminal;
/** of the content of work:private */
let sha256: string;

beforeAll(async () => {
  place = await scratchDirectory();
  secret = join(place, 'passphrase');
  writeFileSync(secret, `${PASSPHRASE}\n`);
  terminal = await homeWithWork();
  sha256 = await fill();
});

/** The cheapest key that is allowed: what is tested is not its cost. */
const words = (...more: string[]): string[] => [
  'backup',
  'create',
  '--kdf-cost',
  '10',
  '--passphrase-file',
  secret,
  ...more,
];

type Created = {
  readonly ok: boolean;
  readonly backupId: string;
  readonly vms: readonly {
    readonly name: string;
    readonly running: boolean;
    readonly files: readonly {
      readonly name: string;
      readonly size: number;
      readonly digest: string | null;
      readonly chunks: number;
      readonly problem: string | null;
      readonly committed: { readonly event: number; readonly time: string } | null;
    }[];
  }[];
};

/** `work:private` of 5 MiB and a bit, with data at both ends and a hole between. */
const fill = async (): Promise<string> => {
  const file = join(await scratchDirectory(), 'content');
  writeFileSync(file, 'the beginning');
  truncateSync(file, 5 * MIB + 512);
  writeAt(file, 'the end', 5 * MIB + 400);
  await terminal.does('volume', 'import', 'work:private', file);
  return createHash('sha256').update(readFileSync(file)).digest('hex');
};

const verified = (file: string): Promise<BackupReport> =>
  terminal.item<BackupReport>('backup', 'verify', file, '--passphrase-file', secret);

const shell = (script: string, cwd: string): string => {
  const { status, stdout, stderr } = spawnSync('bash', ['-euc', `set -o pipefail; ${script}`], {
    cwd,
    // bash reads its start-up files when stdin is a socket.
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  expect({ status, said: stderr.toString() }).toEqual({ status: 0, said: '' });
  return stdout.toString('latin1');
};

describe('backup create', () => {
  test('makes a backup that verify finds whole, and says what is in it', async () => {
    await terminal.does('firewall', 'set', 'work', 'action=accept dst4=192.0.2.0/24', 'action=drop');
    await terminal.does('vm', 'features', 'work', 'menu-items', 'xterm.desktop firefox.desktop');
    await terminal.does('vm', 'notes', 'work', 'pay the rent\n');
    const file = join(place, 'whole.qbk');
    const made = await terminal.item<Created>(...words('-o', file, 'work'));
    expect(made.ok).toBe(true);
    expect(made.vms[0]?.files[0]).toMatchObject({ name: 'private.img', size: 5 * MIB + 512, chunks: 1 });
    expect(made.vms[0]?.files[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    const report = await verified(file);
    expect(report).toMatchObject({ ok: true, problems: [], unchecked: ['whether this is the newest backup'] });
    expect(report.vms.map(({ name, files }) => [name, ...files.map((one) => one.name)])).toEqual([
      ['work', 'private.img', 'whitelisted-appmenus.list', 'firewall.xml', 'notes.txt'],
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await terminal.does('log', 'work:private')).toMatch(
      /backed up to whole\.qbk, 5\.0 MiB, digest [0-9a-f]{12}/,
    );
  });

  test('opens with scrypt, gzip and tar alone, as the emergency procedure says', async () => {
    const directory = await scratchDirectory();
    const { backupId } = await terminal.item<Created>(...words('-o', join(directory, 'b.qbk'), 'work'));
    const scrypt = (name: string, from: string) =>
      `PASS='${name}!${PASSPHRASE}' scrypt dec --passphrase env:PASS ${from}`;
    shell('tar -i -xf b.qbk', directory);
    expect(shell(scrypt('backup-header', 'backup-header.hmac'), directory)).toBe(
      readFileSync(join(directory, 'backup-header'), 'latin1'),
    );
    const xml = shell(
      `${scrypt(`${backupId}!qubes.xml.000`, 'qubes.xml.000.enc')} | gzip -d | tar -xO qubes.xml`,
      directory,
    );
    const [, vm = ''] = /<feature name="backup-path">(vm[0-9]+)\/<\/feature>/.exec(xml) ?? [];
    expect(xml).toContain('<feature name="backup-content">1</feature>');
    const image = `${vm}/private.img`;
    shell(`${scrypt(`${backupId}!${image}.000`, `${image}.000.enc`)} | gzip -d | tar -x ${image}`, directory);
    expect(
      createHash('sha256')
        .update(readFileSync(join(directory, image)))
        .digest('hex'),
    ).toBe(sha256);
  });

  test('restores with the same contents, under another name', async () => {
    const file = join(place, 'back.qbk');
    await terminal.does(...words('-o', file, '--compress', 'zstd', 'work'));
    const restored = await terminal.item<{ vms: readonly { volumes: readonly { sha256: string }[] }[] }>(
      'backup',
      'restore',
      file,
      '--passphrase-file',
      secret,
      '--rename',
      'work=again',
      '--strict',
    );
    expect(restored.vms[0]?.volumes[0]?.sha256).toBe(sha256);
    expect(await terminal.does('vm', 'notes', 'again')).toBe('pay the rent\n');
    const { committedPath } = await terminal.info('again:private');
    expect(
      createHash('sha256')
        .update(readFileSync(committedPath ?? ''))
        .digest('hex'),
    ).toBe(sha256);
  });

  test('takes a running VM as it was committed last, and says when that was', async () => {
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'not yet committed');
    const file = join(place, 'running.qbk');
    const text = await terminal.does(...words('-o', file, 'work'));
    expect(text).toMatch(/work is running: private\.img is as it was committed at 20\S+Z \(ev:\d+\)/);
    expect((await verified(file)).vms[0]?.files[0]).toMatchObject({ ok: true, sha256 });
    await terminal.does('vm', 'stop', 'work');
  });

  test('streams to standard output, uncompressed if asked to, with everything else on stderr', async () => {
    const { bytes, err, code } = await terminal.run(words('-o', '-', '--compress', 'none', 'work'));
    expect(code).toBe(0);
    expect(withoutProgress(err)).toMatch(
      /work +private\.img +5\.0 MiB +[0-9a-f]{12} +ok\n(?:work .*\n)*standard output, backup /,
    );
    const file = join(place, 'streamed.qbk');
    writeFileSync(file, bytes);
    expect(await verified(file)).toMatchObject({ ok: true, problems: [] });
  });

  test('without names takes all VMs but those left out, and in a directory the name that stock gives', async () => {
    await terminal.does('vm', 'clone', 'work', 'scratch');
    const directory = await scratchDirectory();
    const made = await terminal.item<Created>(...words('-o', directory, '--exclude', 'debian', '--exclude', 'again'));
    expect(made.vms.map(({ name }) => name)).toEqual(['scratch', 'work']);
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^qubes-\d{4}-\d\d-\d\dT\d{6}$/)]);
  });

  test('replaces nothing, and refuses what it cannot do before it begins', async () => {
    const file = join(place, 'there');
    writeFileSync(file, 'somebody needs this');
    expectRefusal(await terminal.run(words('-o', file, 'work')), 'D_EXISTS');
    expect(readFileSync(file, 'utf8')).toBe('somebody needs this');
    symlinkSync('there', join(place, 'link'));
    expectRefusal(await terminal.run(words('-o', join(place, 'link'), 'work')), 'D_EXISTS');
    const fresh = join(place, 'fresh.qbk');
    expectRefusal(await terminal.run(words('-o', fresh, 'nobody')), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(words('-o', fresh, 'dom0', '--dom0-home', fresh)), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(words('-o', fresh, '--exclude', 'nobody')), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(words('-o', fresh, '--compress', 'rar', 'work')), 'D_BAD_INPUT');
    expectRefusal(await terminal.run(words('work')), 'D_USAGE');
    expectRefusal(await terminal.run([...words('-o', fresh, 'work'), '--kdf-cost', '9']), 'D_USAGE');
    expectRefusal(await terminal.run(['backup', 'create', '-o', fresh, 'work']), 'D_USAGE');
    const nowhere = await terminal.run(words('-o', join(place, 'no/such/b.qbk'), 'work'));
    expectRefusal(nowhere, 'D_STEP_FAILED');
    expect(readdirSync(place).filter((name) => name.includes('fresh') || name.includes('.part'))).toEqual([]);
  });

  test('--plan shows the steps and makes nothing; said twice with one id, it is made once', async () => {
    const file = join(place, 'once.qbk');
    const planned = await terminal.run(words('-o', file, '--plan', 'work'));
    expect(planned.code).toBe(2);
    expect(planned.out).toContain(`back up 1 VM to ${file}`);
    const first = await terminal.item<Created & { repeated: boolean }>(...words('-o', file, '--id', 'weekly', 'work'));
    const again = await terminal.item<Created & { repeated: boolean }>(...words('-o', file, '--id', 'weekly', 'work'));
    expect([first.repeated, again.repeated, again.backupId]).toEqual([false, true, first.backupId]);
  });
});

/** A directory with nothing but a gzip that does what the script says. */
const withGzip = async (script: string) => {
  const directory = await scratchDirectory();
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin/gzip'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { directory, env: { PATH: `${join(directory, 'bin')}:${process.env['PATH']}` } };
};

describe('backup create, stopped', () => {
  test('by Ctrl-C leaves neither file nor anything to recover, and ends with 130', async () => {
    const { directory, env } = await withGzip('kill -INT $PPID\nexec sleep 20');
    const ended = await terminal.run(words('-o', join(directory, 'never.qbk'), 'work'), { env });
    expectRefusal(ended, 'D_INTERRUPTED');
    expect(readdirSync(directory)).toEqual(['bin']);
    expect(await terminal.does('recover')).toMatch(/nothing/i);
  });

  test('because nothing moves says so, with exit 124', async () => {
    const { directory, env } = await withGzip('exec sleep 20');
    const never = join(directory, 'never.qbk');
    expectRefusal(await terminal.run(words('-o', never, '--stall-timeout', '1', 'work'), { env }), 'D_STALLED');
    expect(readdirSync(directory)).toEqual(['bin']);
  });

  test('by a kill at each of its fault points leaves the whole backup or nothing', async () => {
    const directory = await scratchDirectory();
    const file = join(directory, 'killed.qbk');
    const create = words('-o', file, '--compress', 'none', 'work');
    const left: string[] = [];
    for (const at of [
      'before-step:1',
      'after-step:1',
      'after-record:1',
      'before-step:2',
      'after-step:2',
      'after-record:2',
    ]) {
      const { signal } = await terminal.run(create, { env: { DOMTRAIL_FAULT: `kill@${at}` } });
      expect(signal, at).toBe('SIGKILL');
      await terminal.recovers(at);
      const names = readdirSync(directory);
      left.push(`${at} ${names.join(' ')}`);
      if (at === 'after-step:2') expect((await verified(file)).ok).toBe(true);
      rmSync(file, { force: true });
    }
    expect(left).toEqual([
      'before-step:1 ',
      'after-step:1 ',
      'after-record:1 killed.qbk',
      'before-step:2 killed.qbk',
      'after-step:2 killed.qbk',
      'after-record:2 killed.qbk',
    ]);
    expect((await terminal.does('log', 'work:private')).match(/backed up to killed\.qbk/g)).toHaveLength(4);
    await terminal.isSound();
  }, 120_000);

  test('a disk that cannot be read to its end is named, the rest is backed up, and the exit code is 1', async () => {
    const { committedPath } = await terminal.info('again:private');
    const { directory, env } = await withGzip(`truncate -s 1M '${committedPath}'; PATH=\${PATH#*:}; exec gzip "$@"`);
    const file = join(directory, 'partly.qbk');
    const { code, out, err } = await terminal.run(words('-o', file, 'again', 'work'), { env });
    expect(code).toBe(1);
    expect(out).toMatch(/again +private\.img .*! it ends at byte/);
    expect(out).toMatch(/work +private\.img .* ok\n/);
    expect(withoutProgress(err)).toMatch(/^error\[D_INCOMPLETE\]: .*\ncause: again: private\.img: /);
    expect(await terminal.does('log', 'again:private')).toMatch(/not backed up to partly\.qbk: it ends at byte/);
    const report = await terminal.run(['backup', 'verify', file, '--passphrase-file', secret]);
    expect(report.code).toBe(6);
    expect(report.out).toMatch(/work +private\.img .* ok/);
  });
});
