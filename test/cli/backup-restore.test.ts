import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PASSPHRASE, sample } from '../backup/format2.ts';
import { BACKUPS, bytesOf, changed, detailsOf, joined, type Part, partsOf } from '../backup/vectors.ts';
import { expectRefusal, homeWithWork, scratchDirectory, Terminal, type VmItem } from './terminal.ts';

const PLAIN = 'g1-v4-gzip-pax';
const R2 = { header: 'encrypted=True\nhmac-algorithm=SHA1\n', digest: 'sha1', packed: 'openssl' } as const;

type Volume = { readonly name: string; readonly size: number; readonly sha256: string; readonly pool: string };
type Restored = {
  readonly problems: readonly string[];
  readonly vms: readonly {
    readonly name: string;
    readonly as: string | null;
    readonly problem: string | null;
    readonly warnings: readonly string[];
    readonly volumes: readonly Volume[];
  }[];
};

const vector = (name: string): string => fileURLToPath(new URL(`../vectors/backup/${name}.qbk`, import.meta.url));

const freshHome = async (): Promise<Terminal> => {
  const terminal = new Terminal(join(await scratchDirectory(), 'home'));
  await terminal.run(['init']);
  return terminal;
};

const secretOf = async (name: string): Promise<readonly string[]> => {
  const file = join(await scratchDirectory(), 'passphrase');
  writeFileSync(file, `${detailsOf(name).passphrase}\n`);
  return ['--passphrase-file', file];
};

const restore = async (terminal: Terminal, file: string, name: string, ...more: string[]) => {
  const ended = await terminal.run(['backup', 'restore', file, ...(await secretOf(name)), ...more, '--json']);
  return { ...ended, item: (JSON.parse(ended.out) as { item: Restored }).item };
};

const problemsOf = ({ vms }: Restored) => Object.fromEntries(vms.map(({ name, problem }) => [name, problem]));

const hashOf = async (terminal: Terminal, key: string): Promise<string> => {
  const { committedPath } = await terminal.info(key);
  return createHash('sha256')
    .update(readFileSync(committedPath ?? ''))
    .digest('hex');
};

/** Names of VMs, and whatever lies in the pool. */
const everything = async (terminal: Terminal) => ({
  vms: (await terminal.items<VmItem>('vm', 'list')).map(({ name }) => name),
  pool: readdirSync(join(terminal.home, 'pools/default'), { recursive: true }).filter((name) =>
    String(name).endsWith('img'),
  ),
});

/** A backup file with its parts changed. */
const altered = async (name: string, change: (parts: readonly Part[]) => readonly Part[]): Promise<string> => {
  const file = join(await scratchDirectory(), 'altered.qbk');
  writeFileSync(file, joined(change(partsOf(bytesOf(`${name}.qbk`)))));
  return file;
};

describe('backup restore', () => {
  test.each(BACKUPS)('%s: every volume has the size and content it was made with', async (name) => {
    const terminal = await freshHome();
    // g2's AppVM was made from a template that is not in the backup.
    await terminal.does('vm', 'create', 'debian-12', '--class', 'TemplateVM');
    const { code, item } = await restore(terminal, vector(name), name);
    expect({ code, problems: item.problems }).toEqual({ code: 0, problems: [] });
    const wanted = Object.entries(detailsOf(name).vms).filter(([, { included }]) => included);
    expect(item.vms.map((vm) => vm.name).sort()).toEqual(wanted.map(([vm]) => vm).sort());
    for (const [vm, { volumes }] of wanted) {
      for (const [file, { size, sha256 }] of Object.entries(volumes)) {
        const key = `${vm}:${file.replace(/\.img$/, '')}`;
        expect(await terminal.info(key), key).toMatchObject({ size, state: 'clean' });
        expect(await hashOf(terminal, key), key).toBe(sha256);
      }
    }
    await terminal.isSound();
  });

  test('of Qubes R2, over several volumes: every image has the size and content it was made with', async () => {
    const { file, images } = sample(R2);
    const scratch = await scratchDirectory();
    for (const [name, content] of [['r2.qbk', file] as const, ['passphrase', PASSPHRASE] as const])
      writeFileSync(join(scratch, name), content);
    const terminal = await freshHome();
    const words = [join(scratch, 'r2.qbk'), '--passphrase-file', join(scratch, 'passphrase')];
    await terminal.does('backup', 'restore', ...words);
    for (const [image, { size, sha256 }] of Object.entries(images)) {
      const key = image.replace(' ', ':').replace(/\.img$/, '');
      expect(await terminal.info(key), key).toMatchObject({ size, state: 'clean' });
      expect(await hashOf(terminal, key), key).toBe(sha256);
    }
    await terminal.isSound();
  });

  test('brings settings, tags, menu and firewall rules, and says what it had to leave out', async () => {
    const terminal = await freshHome();
    const { item } = await restore(terminal, vector('g3-v3-openssl-gzip'), 'g3-v3-openssl-gzip');
    expect(item.vms.find(({ name }) => name === 'work')?.warnings).toEqual([
      expect.stringContaining('netvm=netvm is left at its default'),
    ]);
    const xml = await terminal.does('xml');
    expect(xml).toContain('<feature name="menu-items">firefox.desktop gnome-terminal.desktop</feature>');
    expect((await terminal.item<{ rules: string[] }>('firewall', 'get', 'work')).rules.length).toBeGreaterThan(1);
    expect(existsSync(join(terminal.home, 'appvms/work/firewall.xml'))).toBe(true);
    await terminal.does('vm', 'start', 'work');
    await terminal.does('vm', 'stop', 'work');
    await terminal.isSound();
  });

  test('tells where a disk came from: blame and lineage', async () => {
    const terminal = await freshHome();
    await restore(terminal, vector(PLAIN), PLAIN, '-m', 'the disk broke');
    expect(await terminal.does('blame', 'work:private')).toMatch(
      /RestoreVM .*the disk broke(.|\n)*restored from g1-v4/,
    );
    expect(await terminal.does('lineage', 'work:private')).toContain('committed, restored from a backup');
  });

  test('restores chosen VMs, under other names and into other pools', async () => {
    const terminal = await homeWithWork();
    await terminal.does('pool', 'add', 'fast', 'file-reflink', '--dir', join(terminal.home, 'fast'));
    const { code, item } = await restore(
      terminal,
      vector(PLAIN),
      PLAIN,
      '--rename',
      'fedora-40=fedora-old',
      '--rename',
      'work=work-old',
      '--volume-pool',
      'private=fast',
    );
    expect(code).toBe(0);
    expect(item.vms.map(({ as }) => as)).toEqual(['fedora-old', 'work-old']);
    const pools = item.vms.flatMap(({ volumes }) => volumes.map(({ name, pool }) => `${name} ${pool}`));
    expect(pools).toEqual(['root default', 'private fast', 'private fast']);
    expect((await terminal.items<VmItem>('vm', 'list')).find(({ name }) => name === 'work-old')?.template).toBe(
      'fedora-old',
    );
    const again = await restore(terminal, vector(PLAIN), PLAIN, 'fedora-40', '--rename', 'fedora-40=other');
    expect(again.item.vms.map(({ as }) => as)).toEqual(['other']);
    await terminal.isSound();
  });

  test('leaves out what cannot come and goes on with the rest: exit 1', async () => {
    const terminal = await homeWithWork();
    const { code, item } = await restore(terminal, vector(PLAIN), PLAIN);
    expect(code).toBe(1);
    expect(problemsOf(item)).toEqual({
      'fedora-40': null,
      work: expect.stringMatching(/already \(--rename work=NEW\)/),
    });
    const name = 'g2-v4-plain-gnusparse-chunks';
    const second = await restore(terminal, vector(name), name);
    expect(second.code).toBe(1);
    expect(problemsOf(second.item)).toEqual({ vault: 'template: there is no VM debian-12', 'win-legacy': null });
    await terminal.isSound();
  });

  test('--plan shows what would come, --verify-only only reads; neither changes anything', async () => {
    const terminal = await freshHome();
    const before = await everything(terminal);
    const planned = await terminal.run(['backup', 'restore', vector(PLAIN), ...(await secretOf(PLAIN)), '--plan']);
    expect(planned.code).toBe(2);
    expect(planned.out).toMatch(/work +work +private 4.0 MiB +would be restored/);
    const verified = await terminal.run([
      'backup',
      'restore',
      vector(PLAIN),
      ...(await secretOf(PLAIN)),
      '--verify-only',
    ]);
    expect(verified.code).toBe(0);
    expect(await everything(terminal)).toEqual(before);
  });

  test('with an id of its own it can be said twice', async () => {
    const terminal = await freshHome();
    await restore(terminal, vector(PLAIN), PLAIN, '--id', 'after-the-fire');
    const again = await restore(terminal, vector(PLAIN), PLAIN, '--id', 'after-the-fire');
    expect({ code: again.code, vms: problemsOf(again.item) }).toEqual({
      code: 0,
      vms: { 'fedora-40': null, work: null },
    });
  });

  test('bad words are refused before the backup is read', async () => {
    const terminal = await freshHome();
    const secret = await secretOf(PLAIN);
    expectRefusal(await terminal.run(['backup', 'restore', '-', ...secret]), 'D_USAGE');
    expectRefusal(await terminal.run(['backup', 'restore', vector(PLAIN), ...secret, '--rename', 'work']), 'D_USAGE');
    expectRefusal(
      await terminal.run(['backup', 'restore', vector(PLAIN), ...secret, '--rename', 'work=../x']),
      'D_BAD_INPUT',
    );
    expectRefusal(await terminal.run(['backup', 'restore', vector(PLAIN), ...secret, '--pool', 'none']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['backup', 'restore', vector(PLAIN), ...secret, 'nobody']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['backup', 'restore', '/nowhere', ...secret]), 'D_NOT_FOUND');
  });
});

const CHUNKED = 'g2-v4-plain-gnusparse-chunks';

describe('backup restore of a damaged backup', () => {
  const flipped = (parts: readonly Part[]): readonly Part[] =>
    parts.map((part) =>
      part.name === 'vm17/private.img.001.enc'
        ? changed(part, (data) => data.writeUInt8((data[5000] ?? 0) ^ 1, 5000))
        : part,
    );

  test('the VM with the damage is left out, the others come: exit 6', async () => {
    const terminal = await freshHome();
    await terminal.does('vm', 'create', 'debian-12', '--class', 'TemplateVM');
    const { code, item } = await restore(terminal, await altered(CHUNKED, flipped), CHUNKED);
    expect(code).toBe(6);
    expect(problemsOf(item)).toEqual({
      vault: expect.stringContaining('private.img: chunk 1: its data does not authenticate'),
      'win-legacy': null,
    });
    expect((await everything(terminal)).vms).not.toContain('vault');
    await terminal.isSound();
  });

  test('a volume that is missing as a whole is a warning and exit 6, and with --strict nothing comes', async () => {
    const terminal = await freshHome();
    const file = await altered(CHUNKED, (parts) => parts.filter(({ name }) => !name.startsWith('vm105/private.img')));
    const before = await everything(terminal);
    const args = ['backup', 'restore', file, ...(await secretOf(CHUNKED)), '--strict'];
    expectRefusal(await terminal.run(args), 'D_BACKUP_INVALID');
    expect(await everything(terminal)).toEqual(before);
    const { code, item } = await restore(terminal, file, CHUNKED, 'win-legacy');
    expect(code).toBe(6);
    expect(item.vms[0]?.warnings).toContain('private.img is not in the backup');
    expect((await terminal.info('win-legacy:private')).state).toBe('clean');
  });

  test('a file that is cut off, or opened with another passphrase, changes nothing it cannot vouch for', async () => {
    const terminal = await freshHome();
    const half = join(await scratchDirectory(), 'half.qbk');
    const bytes = bytesOf(`${PLAIN}.qbk`);
    writeFileSync(half, bytes.subarray(0, bytes.length / 2));
    const { code } = await restore(terminal, half, PLAIN);
    expect(code).toBe(6);
    expect((await everything(terminal)).vms).not.toContain('work');
    const wrong = await terminal.run(['backup', 'restore', vector(PLAIN), ...(await secretOf(CHUNKED))]);
    expectRefusal(wrong, 'D_VERIFY');
    await terminal.isSound();
  });
});

describe('backup restore, killed', () => {
  const MOST = 12;
  test.each(['before-step', 'after-step', 'after-record'])('at %s: N, leaves the VM or nothing of it', async (at) => {
    const terminal = await freshHome();
    const secret = await secretOf(PLAIN);
    const clean = await everything(terminal);
    for (let n = 1; n <= MOST; n++) {
      const argv = ['backup', 'restore', vector(PLAIN), 'fedora-40', ...secret];
      const ended = await terminal.run(argv, { env: { DOMTRAIL_FAULT: `kill@${at}:${n}` } });
      if (ended.signal === null) {
        expect(n).toBeGreaterThan(3);
        return;
      }
      await terminal.recovers(`${at}:${n}`);
      expect(await terminal.does('fsck'), `${at}:${n}`).toContain(' 0 problems');
      const { vms } = await everything(terminal);
      if (vms.includes('fedora-40')) await terminal.does('vm', 'remove', 'fedora-40', '--yes');
      await terminal.run(['gc', '--all', '--yes']);
      expect(await everything(terminal), `${at}:${n}`).toEqual(clean);
    }
    throw new Error('it never came to its end');
  });
});
