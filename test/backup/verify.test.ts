import { describe, expect, test } from 'vitest';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { BACKUPS, bytesOf, changed, detailsOf, joined, type Part, partsOf, renamed, verified } from './vectors.ts';

const whole = async (name: string): Promise<BackupReport> => {
  const report = await verified(bytesOf(`${name}.qbk`), detailsOf(name).passphrase);
  if (typeof report === 'string') throw new Error(report);
  return report;
};

describe('a backup that a real Qubes wrote', () => {
  test.each(BACKUPS)('%s is whole, and every image has the size and content it was made with', async (name) => {
    const report = await whole(name);
    expect(report).toMatchObject({ ok: true, problems: [] });
    const included = Object.entries(detailsOf(name).vms).filter(([, vm]) => vm.included);
    expect(report.vms.map((vm) => vm.name)).toEqual(included.map(([vm]) => vm));
    for (const [vm, { volumes }] of included) {
      const files = report.vms.find((one) => one.name === vm)?.files ?? [];
      for (const [volume, { size, sha256 }] of Object.entries(volumes)) {
        const image = volume.endsWith('.img') ? volume : `${volume}.img`;
        expect(files).toContainEqual(expect.objectContaining({ name: image, size, sha256, ok: true }));
      }
    }
  });

  test('is told the same without the hashes of whole contents, where nobody asks for them', async () => {
    for (const name of BACKUPS) {
      const report = await whole(name);
      const unhashed = report.vms.map((vm) => ({ ...vm, files: vm.files.map((file) => ({ ...file, sha256: null })) }));
      const quick = await verified(bytesOf(`${name}.qbk`), detailsOf(name).passphrase, { sha256: false });
      expect(quick).toEqual({ ...report, vms: unhashed });
    }
  });

  test('is refused with a wrong passphrase before anything in it is believed', async () => {
    for (const name of BACKUPS) expect(await verified(bytesOf(`${name}.qbk`), 'wrong')).toBe('D_VERIFY');
  });
});

/** What verify says of g2 with its parts changed. */
const damaged = async (change: (parts: readonly Part[]) => readonly Part[]): Promise<BackupReport | string> => {
  const name = 'g2-v4-plain-gnusparse-chunks';
  return verified(joined(change(partsOf(bytesOf(`${name}.qbk`)))), detailsOf(name).passphrase);
};

const replaced = (parts: readonly Part[], name: string, change: (part: Part) => readonly Part[]): readonly Part[] =>
  parts.flatMap((part) => (part.name === name ? change(part) : [part]));

const dropped = (parts: readonly Part[], pattern: RegExp): readonly Part[] =>
  parts.filter(({ name }) => !pattern.test(name));

const swapped = (parts: readonly Part[], one: string, other: string): readonly Part[] =>
  parts.map((part) => {
    const name = part.name === one ? other : part.name === other ? one : null;
    return name === null ? part : (parts.find((candidate) => candidate.name === name) ?? part);
  });

const problemsOf = (report: BackupReport): readonly string[] => [
  ...report.problems,
  ...report.vms.flatMap((vm) =>
    vm.files.flatMap((file) => (file.problem ? [`${vm.name} ${file.name}: ${file.problem}`] : [])),
  ),
];

describe('verify finds what spec/backup-format 8 lists, also what the stock reader passes over', () => {
  const cases: readonly (readonly [string, (parts: readonly Part[]) => readonly Part[], RegExp])[] = [
    [
      'a flipped byte of data',
      (all) =>
        replaced(all, 'vm17/private.img.001.enc', (part) => [
          changed(part, (data) => data.writeUInt8((data[5000] ?? 0) ^ 1, 5000)),
        ]),
      /vault private.img: chunk 1: its data does not authenticate/,
    ],
    [
      'a flipped byte of the salt',
      (all) =>
        replaced(all, 'vm17/private.img.001.enc', (part) => [
          changed(part, (data) => data.writeUInt8((data[20] ?? 0) ^ 1, 20)),
        ]),
      /vault private.img: chunk 1: the head of its container is damaged/,
    ],
    [
      "two members with each other's names",
      (all) => {
        const [one, other] = ['vm17/private.img.000.enc', 'vm105/private.img.000.enc'];
        return all.map((part) =>
          part.name === one ? renamed(part, other) : part.name === other ? renamed(part, one) : part,
        );
      },
      /does not open with this passphrase/,
    ],
    [
      'a chunk that comes twice',
      (all) => replaced(all, 'vm17/private.img.001.enc', (part) => [part, part]),
      /vault private.img: chunk 1 comes a second time/,
    ],
    [
      'a chunk without its ending',
      (all) => replaced(all, 'vm17/private.img.001.enc', (part) => [renamed(part, 'vm17/private.img.001')]),
      /"vm17\/private.img.001" is no part of a backup/,
    ],
    [
      'a missing chunk in the middle',
      (all) => dropped(all, /vm17\/private.img.001/),
      /vault private.img: chunk 1 is missing/,
    ],
    [
      'chunks in another order',
      (all) => swapped(all, 'vm17/private.img.000.enc', 'vm17/private.img.001.enc'),
      /vault private.img: chunk 0 is missing/,
    ],
    [
      'a missing last chunk',
      (all) => dropped(all, /vm17\/private.img.002/),
      /vault private.img: it ends \d+ bytes too early/,
    ],
    [
      'a volume that is missing as a whole',
      (all) => dropped(all, /vm105\/root.img/),
      /win-legacy root.img: it is not in the backup/,
    ],
    ['all members of a VM missing', (all) => dropped(all, /vm17\//), /vault private.img: it is not in the backup/],
    [
      'a member with a way out in its name',
      (all) => replaced(all, 'vm17/private.img.000.enc', (part) => [renamed(part, '../private.img.000.enc')]),
      /is no part of a backup/,
    ],
    [
      'an archive of a VM that was never backed up',
      (all) => replaced(all, 'vm105/private.img.000.enc', (part) => [part, renamed(part, 'vm99/private.img.000.enc')]),
      /vm99\/private.img belongs to no VM/,
    ],
  ];

  test.each(cases)('%s', async (_what, change, problem) => {
    const report = await damaged(change);
    if (typeof report === 'string') throw new Error(report);
    expect(report.ok).toBe(false);
    expect(problemsOf(report).join('\n')).toMatch(problem);
  });

  test('a damaged volume is named, and the VMs after it are still read', async () => {
    const report = await damaged((all) =>
      replaced(all, 'vm17/private.img.000.enc', (part) => [changed(part, (data) => data.fill(1, 200, 300))]),
    );
    if (typeof report === 'string') throw new Error(report);
    expect(problemsOf(report)).toHaveLength(1);
    expect(report.vms.at(-1)?.files.every((file) => file.ok)).toBe(true);
  });

  test('an edited header, a header that is gone, and what is no backup at all', async () => {
    expect(
      await damaged((all) => replaced(all, 'backup-header', (part) => [changed(part, (data) => data.write('3', 8))])),
    ).toBe('D_VERIFY');
    expect(await damaged((all) => dropped(all, /^backup-header$/))).toBe('D_BACKUP_INVALID');
    expect(await verified(Buffer.from('not a backup'.repeat(1000)), 'x')).toBe('D_BACKUP_INVALID');
    expect(await verified(Buffer.alloc(0), 'x')).toBe('D_BACKUP_INVALID');
  });

  test('a file that was cut off, at every tenth of its length', async () => {
    const name = 'g2-v4-plain-gnusparse-chunks';
    const bytes = bytesOf(`${name}.qbk`);
    for (let tenth = 1; tenth < 10; tenth++) {
      const report = await verified(
        bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)),
        detailsOf(name).passphrase,
      );
      expect(typeof report === 'string' ? false : report.ok).toBe(false);
    }
  });

  test('a chunk of another backup with the same passphrase', async () => {
    const { passphrase } = detailsOf('g1-v4-gzip-pax');
    const own = partsOf(bytesOf('g1-v4-gzip-pax.qbk'));
    const foreign = partsOf(bytesOf('g2-v4-plain-gnusparse-chunks.qbk')).find(
      ({ name }) => name === 'vm17/private.img.000.enc',
    );
    if (!foreign) throw new Error('the vector has no such member');
    const report = await verified(
      joined(replaced(own, 'vm2/private.img.000.enc', (part) => [renamed(foreign, part.name)])),
      passphrase,
    );
    expect(report).toMatchObject({ ok: false });
  });
});
