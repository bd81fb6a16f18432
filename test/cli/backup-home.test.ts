import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { expectRefusal, homeWithWork, scratchDirectory, type Terminal } from './terminal.ts';

let terminal: Terminal;
let place: string;
let secret: string;
let home: string;

beforeAll(async () => {
  terminal = await homeWithWork();
  // As small as can be: verify hashes every zero of a volume.
  const content = join(await scratchDirectory(), 'content');
  writeFileSync(content, 'work');
  await terminal.does('volume', 'import', 'work:private', content);
  secret = join(await scratchDirectory(), 'passphrase');
  writeFileSync(secret, 'open sesame\n');
});

/** A home with a secret, a file with a hole, and links. */
beforeEach(async () => {
  place = await scratchDirectory();
  home = join(place, 'users/joanna.r');
  mkdirSync(join(home, '.config/keys'), { recursive: true });
  writeFileSync(join(home, 'notes'), 'buy milk');
  writeFileSync(join(home, '.config/keys/id'), 'a private key', { mode: 0o600 });
  truncateSync(join(home, 'notes'), 2 ** 20);
  appendFileSync(join(home, 'notes'), 'the end');
  // Its target begins like the home's name: what renames members must leave it alone.
  symlinkSync('joanna.r/elsewhere', join(home, 'link'));
  chmodSync(home, 0o700);
});

const file = (): string => join(home, 'b.qbk');
const create = (...more: string[]): string[] => {
  const options = ['-o', file(), '--kdf-cost', '10', '--passphrase-file', secret, '--dom0-home', home];
  return ['backup', 'create', ...options, ...more, 'dom0'];
};
const restore = (into: string): string[] => {
  const options = ['--home-to', into, '--passphrase-file', secret];
  return ['backup', 'restore', file(), 'dom0', ...options];
};

const verified = async () => {
  const ended = await terminal.run(['backup', 'verify', file(), '--passphrase-file', secret, '--json']);
  return { code: ended.code, report: (JSON.parse(ended.out) as { item: BackupReport }).item };
};

/** A tar that first does its work and then ends as the script says. */
const tarThat = (script: string) => {
  mkdirSync(join(place, 'bin'));
  writeFileSync(join(place, 'bin/tar'), `#!/bin/sh\nPATH=\${PATH#*:}\ntar "$@"\n${script}\n`, { mode: 0o755 });
  return { PATH: `${join(place, 'bin')}:${process.env['PATH']}` };
};

const isTheHome = (dir: string): void => {
  expect(readdirSync(dir).sort()).toEqual(['.config', 'link', 'notes']);
  expect(readFileSync(join(dir, 'notes')).equals(readFileSync(join(home, 'notes')))).toBe(true);
  expect(readFileSync(join(dir, '.config/keys/id'), 'utf8')).toBe('a private key');
  expect(statSync(join(dir, '.config/keys/id')).mode & 0o777).toBe(0o600);
  expect(readlinkSync(join(dir, 'link'))).toBe('joanna.r/elsewhere');
};

describe("dom0's home", () => {
  test('is backed up as stock does, without the backup itself, and restored into a directory of its own', async () => {
    expect(await terminal.does(...create('work'))).toMatch(/dom0 +joanna\.r .* ok\n/);
    const { code, report } = await verified();
    expect(code).toBe(0);
    expect(report.vms.find(({ name }) => name === 'dom0')?.files).toMatchObject([{ name: 'joanna.r', ok: true }]);
    const into = join(place, 'restored');
    expect(await terminal.does(...restore(into))).toContain(into);
    isTheHome(into);
    expect(statSync(into).mode & 0o777).toBe(0o700);
    expectRefusal(await terminal.run(restore(into)), 'D_EXISTS');
    const others = await terminal.run(['backup', 'restore', file(), '--passphrase-file', secret, '--plan']);
    expect(others.err).toContain("dom0's home is in the backup; it is restored when dom0 is named");
  });

  test.skipIf(spawnSync('scrypt', ['--version']).error !== undefined)(
    'is opened by the emergency procedure, with scrypt, gzip and tar (skipped without scrypt)',
    async () => {
      await terminal.does(...create());
      const script = `
        tar -i -xf "$FILE"
        id=$(sed -n s/backup-id=//p backup-header)
        name=dom0-home/joanna.r.000
        PASS="$id!$name!open sesame" scrypt dec --passphrase env:PASS $name.enc | gzip -d | tar -x
        PASS="$id!qubes.xml.000!open sesame" scrypt dec --passphrase env:PASS qubes.xml.000.enc | gzip -d | tar -xO qubes.xml`;
      const { stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: place,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], FILE: file() },
      });
      expect(stderr.toString()).toBe('');
      isTheHome(join(place, 'dom0-home/joanna.r'));
      expect(stdout.toString()).toContain('<feature name="backup-path">dom0-home/joanna.r</feature>');
    },
  );

  test('of which something could not be read is not called whole: it is named, and the rest is there', async () => {
    const env = tarThat(
      `case "$*" in *--create*) echo 'tar: joanna.r/x: Cannot open: Permission denied' >&2; exit 2; esac`,
    );
    const ended = await terminal.run(create('work'), { env });
    expectCode(ended, 1);
    expect(ended.err).toMatch(
      /dom0: joanna\.r: not all of it could be read: joanna\.r\/x: Cannot open: Permission denied/,
    );
    expect(ended.out).toMatch(/work +private\.img .* ok\n/);
    expect(await verified()).toMatchObject({ code: 6, report: { ok: false } });
    const into = join(place, 'restored');
    const restored = await terminal.run(restore(into));
    expectCode(restored, 6);
    expect(restored.out).toMatch(/restored; it could not be read when the backup was made: .*joanna\.r\/x/);
    isTheHome(into);
  });

  test('that changed while it was read is told of, and whole', async () => {
    const env = tarThat(
      `case "$*" in *--create*) echo 'tar: joanna.r/log: file changed as we read it' >&2; exit 1; esac`,
    );
    const ended = await terminal.run(create(), { env });
    expectCode(ended, 0);
    expect(ended.out).toContain('note: joanna.r/log: file changed as we read it\n');
    expect((await verified()).code).toBe(0);
  });

  test('whose archive breaks off is named, and nothing else is lost', async () => {
    const env = tarThat(`case "$*" in *dom0-home*) kill -KILL $$; esac`);
    writeFileSync(
      join(place, 'bin/tar'),
      readFileSync(join(place, 'bin/tar'), 'utf8').replace(
        'tar "$@"\n',
        'case "$*" in *dom0-home*) tar "$@" | head -c 5000; esac; case "$*" in *dom0-home*) ;; *) exec tar "$@"; esac\n',
      ),
    );
    const ended = await terminal.run(create('work'), { env });
    expectCode(ended, 1);
    expect(ended.err).toMatch(/dom0: joanna\.r: tar: /);
    const { report } = await verified();
    expect(report.vms.map(({ name, files }) => [name, files.every(({ ok }) => ok)])).toEqual([
      ['dom0', false],
      ['work', true],
    ]);
    expect((await terminal.run(restore(join(place, 'restored')))).code).not.toBe(0);
    expect(existsSync(join(place, 'restored'))).toBe(false);
  });

  test('is not there in a backup without it', async () => {
    await terminal.does('backup', 'create', '-o', file(), '--kdf-cost', '10', '--passphrase-file', secret, 'work');
    expectRefusal(await terminal.run(restore(join(place, 'restored'))), 'D_NOT_FOUND');
  });
});

const expectCode = ({ code, err }: { code: number | null; err: string }, wanted: number): void =>
  expect({ code, err: code === wanted ? '' : err }).toEqual({ code: wanted, err: '' });
