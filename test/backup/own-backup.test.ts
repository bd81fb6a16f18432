import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import * as to from '../domain/commands.ts';
import { PASSPHRASE, withArchiver } from '../runner/archiver.ts';
import { newWorld, type World } from '../runner/world.ts';
import { changed, joined, type Part, partsOf, renamed, verified } from './vectors.ts';

const SIZE = 4 * 2 ** 20;
const CHUNK = 16 * 1024;

const dir = mkdtempSync(join(tmpdir(), 'domtrail-own-'));
afterAll(() => rmSync(dir, { recursive: true }));

const backedUp = async (world: World, name: string): Promise<readonly Part[]> => {
  const file = join(dir, name);
  await withArchiver(world, { chunkBytes: CHUNK }).does(to.backup(file, 'work', 'mail'));
  return partsOf(readFileSync(file));
};

let parts: readonly Part[];
let others: readonly Part[];

/** Two VMs, each with 100 KiB of data in a volume of 4 MiB and with rules; two backups of them with one passphrase. */
beforeAll(async () => {
  const world = newWorld();
  await world.does(to.init(to.lvmPool('lvm')), to.templateVm('fedora'));
  for (const vm of ['work', 'mail']) {
    await world.does(to.appVm(vm, { template: 'fedora' }), to.resize(`${vm}:private`, SIZE, true));
    await world.does(to.setFirewall(vm, ['action=drop']), to.start(vm));
    world.model.writeAt(`vm-${vm}-private-snap`, 4096, `data of ${vm} `.repeat(8000));
    await world.does(to.stop(vm));
  }
  parts = await backedUp(world, 'one.qbk');
  others = await backedUp(world, 'two.qbk');
});

const numberOf = (name: string): number => {
  const at = parts.findIndex((part) => part.name === name);
  if (at < 0) throw new Error(`there is no ${name} among ${parts.map((part) => part.name).join(' ')}`);
  return at;
};

const IMAGE = 'vm2/private.img';
const chunk = (number: number): string => `${IMAGE}.00${number}.enc`;

const without = (pattern: RegExp): readonly Part[] => parts.filter(({ name }) => !pattern.test(name));
const instead = (name: string, other: (part: Part) => Part): readonly Part[] =>
  parts.map((part) => (part.name === name ? other(part) : part));

const flipped =
  (at: number) =>
  (part: Part): Part =>
    changed(part, (data) => {
      data[at] = (data[at] ?? 0) ^ 1;
    });

/** Everything that is wrong, each with the file it is about; or the code of the refusal. */
const wrongIn = async (damaged: readonly Part[] | Buffer, passphrase = PASSPHRASE): Promise<string> => {
  const report = await verified(Buffer.isBuffer(damaged) ? damaged : joined(damaged), passphrase);
  if (typeof report === 'string') return report;
  const { ok, problems, vms } = report;
  const bad = vms.flatMap(({ name, files }) =>
    files.filter((one) => !one.ok).map((one) => `${name}: ${one.name}: ${one.problem}`),
  );
  expect(ok).toBe(bad.length + problems.length === 0);
  return [...problems, ...bad].join('\n');
};

describe('a backup of ours', () => {
  test('is in the order of stock, chunk after chunk, with the list of its files at the end', async () => {
    const names = parts.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(['backup-header', 'backup-header.hmac', 'qubes.xml.000.enc']);
    const files = new Set(names.slice(3).map((name) => name.replace(/\.\d{3}\.enc$/, '')));
    expect([...files].filter((name) => name !== 'qubes.xml')).toEqual([
      'vm2/private.img',
      'vm2/firewall.xml',
      'vm3/private.img',
      'vm3/firewall.xml',
      'extra/manifest',
    ]);
    expect(names.filter((name) => name.startsWith(IMAGE)).length).toBeGreaterThan(5);
    expect(await wrongIn(parts)).toBe('');
    const { vms } = (await verified(joined(parts), PASSPHRASE)) as BackupReport;
    expect(vms.map(({ files: of }) => of[0])).toEqual([
      expect.objectContaining({ size: SIZE, chunks: expect.any(Number) }),
      expect.objectContaining({ size: SIZE }),
    ]);
  });
});

const hasScrypt = spawnSync('scrypt', ['--version']).error === undefined;

describe.skipIf(!hasScrypt)('the emergency procedure, without any of our code (skipped without scrypt)', () => {
  test('opens every chunk with scrypt and gives the volume to tar and dd', () => {
    // The passphrase of a chunk is the backup-id, its name and the user's, as the procedure of format 4 says.
    const script = `
      tar -i -xf one.qbk
      id=$(sed -n s/backup-id=//p backup-header)
      for file in vm2/private.img.*.enc; do
        name=\${file%.enc}
        printf '%s' "$id!$name!$PASS" > secret
        scrypt dec --passphrase file:secret "$file" "$name"
      done
      cat $(printf '%s\\n' vm2/private.img.[0-9]* | grep -v enc | sort -t. -k3 -n) |
        tar -xO vm2/private.img | dd of=volume bs=128K conv=sparse status=none
      sha256sum < volume`;
    const { stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: dir,
      // bash reads its start-up files when stdin is a socket.
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], PASS: PASSPHRASE },
    });
    expect(stderr.toString()).toBe('');
    const content = Buffer.alloc(SIZE);
    content.write('data of work '.repeat(8000), 4096);
    expect(stdout.toString()).toBe(`${createHash('sha256').update(content).digest('hex')}  -\n`);
  });
});

describe('damage is found, with the VM, the file and the chunk it is in', () => {
  test('a flipped byte of data, of salt, of the last HMAC', async () => {
    expect(await wrongIn(instead(chunk(2), flipped(500)))).toBe(
      'work: private.img: chunk 2: its data does not authenticate',
    );
    expect(await wrongIn(instead(chunk(2), flipped(20)))).toBe(
      'work: private.img: chunk 2: the head of its container is damaged',
    );
    expect(await wrongIn(instead(chunk(2), (part) => flipped(part.data.length - 1)(part)))).toBe(
      'work: private.img: chunk 2: its data does not authenticate',
    );
  });

  test('a chunk that is missing in the middle, or at the end', async () => {
    expect(await wrongIn(without(/vm2\/private\.img\.002/))).toBe('work: private.img: chunk 2 is missing');
    const last = parts.filter(({ name }) => name.startsWith(IMAGE)).at(-1)?.name ?? '';
    expect(await wrongIn(parts.filter(({ name }) => name !== last))).toMatch(/^work: private\.img: /);
  });

  test('chunks in another order, with swapped names, or twice', async () => {
    const [a, b] = [numberOf(chunk(1)), numberOf(chunk(2))];
    const moved = [...parts];
    [moved[a], moved[b]] = [moved[b] as Part, moved[a] as Part];
    expect(await wrongIn(moved)).toBe('work: private.img: chunk 1 is missing');
    const swapped = moved.map((part, at) =>
      at === a ? renamed(part, chunk(1)) : at === b ? renamed(part, chunk(2)) : part,
    );
    expect(await wrongIn(swapped)).toBe('work: private.img: chunk 1: it does not open with this passphrase');
    expect(await wrongIn(parts.toSpliced(a, 0, parts[a] as Part))).toBe(
      'work: private.img: chunk 1 comes a second time',
    );
  });

  test('a chunk, a file or the list of another backup with the same passphrase', async () => {
    const foreign = (name: string) => others.find((part) => part.name === name) as Part;
    expect(await wrongIn(instead(chunk(1), ({ name }) => foreign(name)))).toBe(
      'work: private.img: chunk 1: it does not open with this passphrase',
    );
    expect(await wrongIn(instead('vm2/firewall.xml.000.enc', ({ name }) => foreign(name)))).toMatch(
      /^work: firewall\.xml: chunk 0/,
    );
    expect(await wrongIn(instead('extra/manifest.000.enc', ({ name }) => foreign(name)))).toMatch(
      /^the list of its files: chunk 0/,
    );
  });

  test('a volume, all rules, a VM or the list that is missing as a whole', async () => {
    expect(await wrongIn(without(/^vm2\/private/))).toBe('work: private.img: it is not in the backup');
    expect(await wrongIn(without(/^vm3\/firewall/))).toBe('mail: firewall.xml: it is not in the backup');
    expect(await wrongIn(without(/^vm3\//))).toBe(
      'mail: private.img: it is not in the backup\nmail: firewall.xml: it is not in the backup',
    );
    expect(await wrongIn(without(/^extra\//))).toBe(
      'the list of its files is missing: the backup was cut off, or never ended',
    );
  });

  test('a member under a name with a way out, or one that nobody wrote', async () => {
    expect(await wrongIn(instead(chunk(0), (part) => renamed(part, '../../etc/shadow')))).toContain(
      'is no part of a backup',
    );
    expect(await wrongIn([...parts, renamed(parts.at(-1) as Part, 'vm9/private.img.000.enc')])).toContain(
      'belongs to no VM',
    );
    expect(await wrongIn(instead(chunk(0), (part) => renamed(part, `${IMAGE}.000`)))).toContain(
      'is no part of a backup',
    );
  });

  test('an edited header, and another passphrase', async () => {
    const edited = instead('backup-header', (part) => changed(part, (data) => data.write('version=3', 0)));
    expect(await wrongIn(edited)).toBe('D_VERIFY');
    expect(await wrongIn(parts, 'wrong')).toBe('D_VERIFY');
    expect(await wrongIn(without(/^backup-header$/))).toBe('D_BACKUP_INVALID');
  });

  test('a file that is cut off anywhere', async () => {
    const whole = joined(parts);
    for (let tenth = 1; tenth < 10; tenth++) {
      expect(await wrongIn(whole.subarray(0, Math.floor((whole.length * tenth) / 10)))).not.toBe('');
    }
    expect(await wrongIn(whole.subarray(0, whole.length - 10_240))).not.toBe('');
  });
});
