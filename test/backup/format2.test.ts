import { describe, expect, test } from 'vitest';
import { type Making, PASSPHRASE, sample } from './format2.ts';
import { joined, type Part, partsOf, renamed, verified } from './vectors.ts';

const ENCRYPTED: Making = {
  header: 'hmac-algorithm=SHA1\ncrypto-algorithm=aes-256-cbc\nencrypted=True\ncompressed=False\n',
  digest: 'sha1',
  packed: 'openssl',
};

const MAKINGS: readonly (readonly [string, Making])[] = [
  ['encrypted', ENCRYPTED],
  ['packed', { header: 'version=2\nencrypted=False\ncompressed=True\n', digest: 'sha512', packed: 'gzip' }],
  ['without a header, as the first ones of R2', { ...ENCRYPTED, header: null }],
];

describe('a backup of Qubes R2, made by tar over several volumes', () => {
  test.each(MAKINGS)('%s is whole, and every image has its size and content', async (_, making) => {
    const { file, images } = sample(making);
    expect(partsOf(file).filter(({ name }) => /^vm2.*\.[0-9]{3}$/.test(name)).length).toBeGreaterThan(3);
    const report = await verified(file, PASSPHRASE);
    if (typeof report === 'string') throw new Error(report);
    expect(report).toMatchObject({ ok: true, format: 2, problems: [] });
    const found = report.vms.flatMap((vm) =>
      vm.files.map(({ name, size, sha256 }) => [`${vm.name} ${name}`, { size, sha256 }] as const),
    );
    expect(Object.fromEntries(found)).toEqual(images);
  });

  test.each(MAKINGS)('%s is refused with a wrong passphrase', async (_, making) => {
    expect(await verified(sample(making).file, 'wrong')).toBe('D_VERIFY');
  });
});

type Change = (parts: readonly Part[]) => readonly Part[];

const without =
  (pattern: RegExp): Change =>
  (parts) =>
    parts.filter(({ name }) => !pattern.test(name));

/** Each with its own HMAC, which says nothing about its name. */
const exchanged =
  (one: string, other: string): Change =>
  (parts) =>
    parts.map((part) => {
      const [from, to] = part.name.startsWith(one) ? [one, other] : [other, one];
      if (!part.name.startsWith(from)) return part;
      const wanted = parts.find(({ name }) => name === part.name.replace(from, to));
      return wanted ? renamed(wanted, part.name) : part;
    });

const DAMAGES: readonly (readonly [string, Change])[] = [
  ['a missing volume in the middle', without(/^vm2\/private\.img\.002/)],
  ['the last volumes missing', without(/^vm2\/private\.img\.00[3-9]/)],
  ['a volume without its HMAC', without(/^vm2\/private\.img\.001\.hmac/)],
  ['two volumes that changed places', exchanged('vm2/private.img.001', 'vm2/private.img.002')],
  ['a volume of another file', exchanged('vm2/private.img.001', 'vm1/..001')],
  ['all of a file missing', without(/^vm2\/private/)],
];

describe('of a damaged one it is said', () => {
  const { file } = sample(ENCRYPTED);
  test.each(DAMAGES)('%s', async (_, change) => {
    const report = await verified(joined(change(partsOf(file))), PASSPHRASE);
    if (typeof report === 'string') throw new Error(report);
    const bad = report.vms.flatMap((vm) => vm.files.filter((one) => !one.ok).map(({ name }) => `${vm.name} ${name}`));
    expect(report.ok).toBe(false);
    expect(bad).toContain('work private.img');
  });
});
