import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBytes, parseBytes } from '../../domain/bytes.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import {
  parseCommandId,
  parseLvmName,
  parsePoolName,
  parseVmName,
  parseVolumeKey,
  parseVolumeName,
} from '../../domain/names.ts';

const verdict = (parsed: { readonly ok: boolean }): boolean => parsed.ok;

describe('the name of a VM', () => {
  test.each(['work', 'Work-2', 'a', 'sys-net', 'x'.repeat(31), 'a.b_c'])('may be %s', (name) => {
    expect(verdict(parseVmName(name))).toBe(true);
  });
  test.each([
    '',
    '2fast',
    '-x',
    'none',
    'default',
    'Domain-0',
    'work-dm',
    'x'.repeat(32),
    'a b',
    'a/b',
    'a:b',
    'ä',
    'a\n',
    '../x',
  ])('may not be %j', (name) => {
    expect(verdict(parseVmName(name))).toBe(false);
  });
});

describe('the name of a volume', () => {
  test.each(['root', 'private', 'data-1', 'my_data'])('may be %s', (name) => {
    expect(verdict(parseVolumeName(name))).toBe(true);
  });
  test.each([
    'snap',
    'a-snap',
    'private-import',
    'x-back',
    'x-1-back',
    'back',
    'a_tdata',
    'x_cmeta1',
    '',
    '1a',
    'a.b',
    'x-dirty',
    'x-precache',
    'tmp',
    'a\n',
  ])('may not be %j, which would look like a disk of another volume or one of LVM’s own', (name) => {
    expect(verdict(parseVolumeName(name))).toBe(false);
  });
});

describe('other names', () => {
  test('of pools, LVs and commands never start with an option’s dash', () => {
    for (const parse of [parsePoolName, parseLvmName, parseCommandId]) expect(verdict(parse('-x'))).toBe(false);
    expect(verdict(parseLvmName('..'))).toBe(false);
    expect(verdict(parseCommandId('a'.repeat(101)))).toBe(false);
  });

  test('VM:VOLUME is taken apart at the first colon and checked on both sides', () => {
    expect(parseVolumeKey('work:private')).toMatchObject({
      ok: true,
      value: { vm: 'work', volume: 'private', key: 'work:private' },
    });
    for (const text of ['work', 'work:', ':private', 'a:b:c', '2:x']) expect(verdict(parseVolumeKey(text))).toBe(false);
  });

  test('no accepted name holds anything that a shell, a path or an XML file would take for its own', () => {
    const property = fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const accepted = [parseVmName, parseVolumeName, parsePoolName, parseLvmName, parseCommandId].some(
        (parse) => parse(text).ok,
      );
      if (accepted) expect(text).toMatch(/^[A-Za-z0-9_+.-]+$/);
    });
    fc.assert(property, { numRuns: 500, seed: 1 });
  });

  test('an error quotes at most 60 characters of what was written', () => {
    const parsed = parseVmName('x'.repeat(10_000));
    expect(parsed.ok ? '' : parsed.error.message.length).toBeLessThan(150);
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['10G', 10 * 2 ** 30],
    ['10GiB', 10 * 2 ** 30],
    ['1T', 2 ** 40],
  ])('%s are %i bytes', (text, bytes) => {
    expect(parseBytes(text)).toEqual({ ok: true, value: bytes });
  });
  test.each(['', '-1', '1.5G', '1g', 'G', '9007199254740992', '9999P', '1e3', ' 1'])('%j is no size', (text) => {
    expect(verdict(parseBytes(text))).toBe(false);
  });
  test('are written for people with one digit after the point', () => {
    expect([0, 1023, 1024, 2 ** 31, 1.5 * 2 ** 40].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '2.0 GiB',
      '1.5 TiB',
    ]);
  });
});

test('canonical JSON does not depend on the order of keys, and leaves out what is undefined', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
  const property = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
    const reversed = Object.fromEntries(Object.entries(object).reverse());
    expect(canonicalJson(object as never)).toBe(canonicalJson(reversed as never));
    expect(JSON.parse(canonicalJson(object as never))).toEqual(JSON.parse(JSON.stringify(object)));
  });
  fc.assert(property, { numRuns: 200, seed: 1 });
});
