import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Role } from '../../../domain/disk.ts';
import { parseVmName, parseVolumeName } from '../../../domain/names.ts';
import {
  devicePathOf,
  dmNameOf,
  isVid,
  lvNameOf,
  parseLvName,
  poolDeviceOf,
  type Slot,
} from '../../../infrastructure/drivers/lvm-thin/names.ts';

const WORK = 'qubes_dom0/vm-work-private';

describe('names of LVs', () => {
  test.each<[Role, string]>([
    [{ kind: 'current' }, 'vm-work-private'],
    [{ kind: 'scratch' }, 'vm-work-private'],
    [{ kind: 'direct' }, 'vm-work-private'],
    [{ kind: 'session' }, 'vm-work-private-snap'],
    [{ kind: 'import' }, 'vm-work-private-import'],
    [{ kind: 'revision', number: 3, at: 1_700_000_000 }, 'vm-work-private-1700000000-back'],
    [{ kind: 'incoming', position: 12 }, 'vm-work-private-12-new-import'],
    [{ kind: 'trash', position: 12 }, 'vm-work-private-12-trash-back'],
  ])('the role %o is called %s', (role, name) => {
    expect(lvNameOf(WORK, role)).toBe(`qubes_dom0/${name}`);
  });

  test('a volume is not confused with another whose VM has a longer name (qubes-issues 4680)', () => {
    expect(parseLvName('qubes_dom0/vm-w-private-root')).toEqual({
      vid: 'qubes_dom0/vm-w-private-root',
      slot: { kind: 'current' },
    });
    expect(parseLvName('qubes_dom0/vm-w-private-root-17-back')?.vid).toBe('qubes_dom0/vm-w-private-root');
    expect(parseLvName('qubes_dom0/vm-w-private-17-back')).toEqual({
      vid: 'qubes_dom0/vm-w-private',
      slot: { kind: 'revision', at: 17 },
    });
  });

  test('a VM whose name ends in a number keeps its own revisions', () => {
    expect(parseLvName('qubes_dom0/vm-w-1-private-17-back')).toEqual({
      vid: 'qubes_dom0/vm-w-1-private',
      slot: { kind: 'revision', at: 17 },
    });
  });

  test.each(['back', 'tmp'] as const)("-%s of stock's first years is read, so that it can be adopted", (as) => {
    const vid = 'qubes_dom0/vm-work-private';
    expect(parseLvName(`${vid}-${as}`)).toEqual({ vid, slot: { kind: 'legacy', as } });
    expect(lvNameOf(vid, { kind: 'legacy', as })).toBe(`${vid}-${as}`);
  });

  test.each([
    'qubes_dom0/vm-pool',
    'qubes_dom0/root',
    'qubes_dom0/vm-work-private-017-back',
    'qubes_dom0/vm-work-private-99999999999999999999-back',
    'qubes_dom0/vm-w-snap',
    'vm-work-private',
    '',
  ])('%j is the name of no disk of ours', (name) => {
    expect(parseLvName(name)).toBeNull();
  });

  test.each([
    'qubes_dom0/vm-work-private-snap',
    'qubes_dom0/vm-work-17-back',
    // `vm-w-private-7-new-import` would be both this one's import and w:private being built by event 7.
    'qubes_dom0/vm-w-private-7-new',
    'qubes_dom0/vm-work-../x',
    'qubes_dom0/-rf',
    'vm-work-private',
  ])('%j cannot be the id of a volume', (vid) => {
    expect(isVid(vid)).toBe(false);
    expect(() => lvNameOf(vid, { kind: 'current' })).toThrow('not the id of a volume');
  });

  test('a VM called like a number still has its volume called new', () => {
    expect(isVid('qubes_dom0/vm-a7-new')).toBe(true);
  });
});

describe('names of devices', () => {
  test('dashes are doubled in both parts', () => {
    expect(devicePathOf('my-vg/vm-a-private')).toBe('/dev/mapper/my--vg-vm--a--private');
    expect(poolDeviceOf('qubes_dom0', 'vm-pool')).toBe('qubes_dom0-vm--pool-tpool');
  });

  test('two LVs never share a device name', () => {
    const part = fc.stringMatching(/^[a-z][a-z-]{0,5}$/);
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        fc.pre(`${a}/${b}` !== `${c}/${d}`);
        // Device-mapper itself cannot tell a trailing dash of a VG from a leading one of an LV; LVM forbids the latter.
        expect(dmNameOf(`${a}/${b}`)).not.toBe(dmNameOf(`${c}/${d}`));
      }),
    );
  });
});

const vmName = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_.-]{0,8}$/).filter((name) => parseVmName(name).ok);
const anyVolume = fc.oneof(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,8}$/),
  fc.constantFrom('private', 'root', 'new', 'x-7-new', 'trash', 'x-5-trash', 'private-1'),
);
const volumeName = anyVolume.filter((name) => parseVolumeName(name).ok);
const vid = fc
  .tuple(vmName, volumeName)
  .map(([vm, volume]) => `vg/vm-${vm}-${volume}`)
  .filter(isVid);
const number = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const slot: fc.Arbitrary<Slot> = fc.oneof(
  fc.constantFrom<Slot>({ kind: 'current' }, { kind: 'session' }, { kind: 'import' }),
  number.map((at): Slot => ({ kind: 'revision', at })),
  number.map((position): Slot => ({ kind: 'incoming', position })),
  number.map((position): Slot => ({ kind: 'trash', position })),
);

const roleOf = (one: Slot): Role => (one.kind === 'revision' ? { ...one, number: 1 } : one);

describe('every name', () => {
  test('is read back as the volume and slot it was made for', () => {
    fc.assert(
      fc.property(vid, slot, (id, one) => {
        expect(parseLvName(lvNameOf(id, roleOf(one)))).toEqual({ vid: id, slot: one });
      }),
      { numRuns: 2000 },
    );
  });

  test('belongs to one disk of one volume', () => {
    fc.assert(
      fc.property(vid, slot, vid, slot, (a, one, b, other) => {
        fc.pre(a !== b || JSON.stringify(one) !== JSON.stringify(other));
        expect(lvNameOf(a, roleOf(one))).not.toBe(lvNameOf(b, roleOf(other)));
      }),
      { numRuns: 2000 },
    );
  });

  test('is read without an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseLvName(text);
        if (parsed) expect(lvNameOf(parsed.vid, roleOf(parsed.slot))).toBe(text);
      }),
    );
  });
});
