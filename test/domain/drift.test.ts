import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SeenDisk } from '../../domain/adoption/seen.ts';
import type { DiskId } from '../../domain/disk.ts';
import type { DiskDifference, Expected } from '../../domain/drift/difference.ts';
import { evolveDrifted } from '../../domain/drift/evolve.ts';
import { fingerprintOf } from '../../domain/drift/fingerprint.ts';
import { volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import * as to from './commands.ts';
import { Story, wordsOf } from './given.ts';

let story: Story;
beforeEach(() => {
  story = new Story();
  for (const command of [to.init(to.lvmPool('lvm')), to.setProperty(null, 'default_pool', 'lvm')])
    story.submit(command);
  for (const vm of ['box', 'bag']) {
    for (const command of [to.standaloneVm(vm), to.start(vm), to.stop(vm)]) {
      story.now += 1000;
      story.submit(command);
    }
  }
});

const volume = (key: string) => {
  const found = volumeOf(story.host, key as VolumeKey);
  if (!found) throw new Error(`there is no ${key}`);
  return found;
};

/** The disk a volume lists in a role; drivers' names are `VID ROLE` here. */
const expected = (key: string, kind: string): Expected => {
  const one = volume(key);
  const placed = disksOf(one).find(({ role }) => role.kind === kind);
  if (!placed) throw new Error(`${key} has no ${kind}`);
  const name = `${one.spec.vid} ${kind}`;
  return { object: key, kind: 'volume', disk: placed.disk, place: placeOf(one, placed.role), name };
};

const seen = ({ disk, place }: Expected, more: Partial<SeenDisk> = {}): SeenDisk => ({
  id: disk.id,
  name: `${place.vid} ${place.role.kind}`,
  named: { vid: place.vid, as: place.role as never },
  bytes: disk.bytes,
  usedBytes: null,
  origin: null,
  active: true,
  open: false,
  usable: true,
  ...more,
});

const stranger = (at: Expected): SeenDisk => seen(at, { id: 'stranger' as DiskId, bytes: 4096 });

const swapped = (): readonly DiskDifference[] => {
  const [a, b] = [expected('box:private', 'current'), expected('bag:private', 'current')];
  const inPlaceOf = (mine: Expected, other: Expected) => seen(other, { id: mine.disk.id });
  return [
    { is: 'replaced', expected: a, there: inPlaceOf(b, a), seen: inPlaceOf(a, b) },
    { is: 'replaced', expected: b, there: inPlaceOf(a, b), seen: inPlaceOf(b, a) },
  ];
};

const codeOf = (command: Parameters<Story['submit']>[0]): string | null => {
  const decision = story.submit(command);
  return decision.ok ? null : decision.error.code;
};

const planOf = (command: Parameters<Story['submit']>[0]): readonly string[] => {
  const decision = story.submit(command);
  if (!decision.ok) throw new Error(decision.error.message);
  return wordsOf(decision.value.plan.main);
};

const factsSince = (position: number): readonly string[] =>
  story.log
    .filter((one) => one.position > position && !/^(Command|Step)/.test(one.event.type))
    .map(({ event }) => event.type);

describe('adopt', () => {
  test('a committed disk that is gone leaves the volume without one, its revisions stay', () => {
    story.drift = [{ is: 'gone', expected: expected('box:private', 'current') }];
    const { position } = story.host;
    expect(planOf(to.adoptDrift('box:private'))).toEqual([]);
    expect(factsSince(position)).toEqual(['DiskLost']);
    expect(volume('box:private')).toMatchObject({ situation: { is: 'absent' }, revisions: [{}] });
  });

  test('of two volumes that changed places takes both over, by naming one', () => {
    story.drift = swapped();
    const [a, b] = [expected('box:private', 'current').disk.id, expected('bag:private', 'current').disk.id];
    story.submit(to.adoptDrift('box:private'));
    expect([expected('box:private', 'current').disk.id, expected('bag:private', 'current').disk.id]).toEqual([b, a]);
  });

  test('is refused while the VM runs, for a disk that is open, and where nobody looked', () => {
    const at = expected('box:private', 'current');
    story.drift = [{ is: 'replaced', expected: at, there: { ...stranger(at), open: true }, seen: null }];
    expect(codeOf(to.adoptDrift('box'))).toBe('D_DEVICE_IN_USE');
    story.submit(to.start('box'));
    expect(codeOf(to.adoptDrift('box'))).toBe('D_NOT_HALTED');
    story.drift = null;
    expect(codeOf(to.adoptDrift('box'))).toBe('D_BAD_INPUT');
  });

  test('of a name that stands for nothing is refused, of a VM without a difference does nothing', () => {
    story.drift = [];
    expect(codeOf(to.adoptDrift('qubes_dom0/nothing'))).toBe('D_NOT_FOUND');
    expect(planOf(to.adoptDrift('box:private'))).toEqual([]);
  });

  test('never lists one disk twice', () => {
    const at = expected('box:private', 'current');
    const other = expected('bag:private', 'current');
    story.drift = [{ is: 'replaced', expected: at, there: seen(at, { id: other.disk.id }), seen: null }];
    expect(codeOf(to.adoptDrift('box:private'))).toBe('D_DRIFT');
  });
});

describe('repair', () => {
  test('moves exchanged disks back by way of names of their own', () => {
    story.drift = swapped();
    const { position } = story.host;
    expect(planOf(to.repairDrift('bag:private'))).toEqual([
      `bag:private: move current -> incoming ${position + 1}`,
      `box:private: move current -> incoming ${position + 2}`,
      `bag:private: move incoming ${position + 1} -> current`,
      `box:private: move incoming ${position + 2} -> current`,
    ]);
    expect(factsSince(position)).toEqual(['DriftRepaired', 'DriftRepaired']);
  });

  test('renames from whatever name somebody gave, and never from one outside of the pool', () => {
    const at = expected('box:private', 'current');
    const renamed = (name: string): DiskDifference => ({
      is: 'renamed',
      expected: at,
      seen: seen(at, { name, named: null }),
    });
    story.drift = [renamed('../elsewhere')];
    expect(codeOf(to.repairDrift('box'))).toBe('D_NAME_UNSAFE');
    story.drift = [renamed('qubes_dom0/mine')];
    expect(planOf(to.repairDrift('box'))).toEqual(['box:private: move qubes_dom0/mine -> current']);
  });

  test('does not move a stranger, and does not cut a disk that has grown', () => {
    const at = expected('box:private', 'current');
    story.drift = [{ is: 'replaced', expected: at, there: stranger(at), seen: seen(at, { name: 'x', named: null }) }];
    expect(codeOf(to.repairDrift('box'))).toBe('D_DRIFT');
    story.drift = [{ is: 'resized', expected: at, seen: seen(at, { bytes: at.disk.bytes * 2 }) }];
    expect(codeOf(to.repairDrift('box'))).toBe('D_SHRINK');
    story.drift = [{ is: 'resized', expected: at, seen: seen(at, { bytes: 4096 }) }];
    expect(planOf(to.repairDrift('box'))).toEqual([expect.stringMatching(/^box:private: resize current to /)]);
  });

  test('brings back the newest older state that is itself as it should be', () => {
    const gone: DiskDifference = { is: 'gone', expected: expected('box:private', 'current') };
    story.drift = [gone, { is: 'gone', expected: expected('box:private', 'revision') }];
    expect(codeOf(to.repairDrift(gone.expected.name))).toBe('D_DRIFT');
    story.drift = [gone];
    const { id } = expected('box:private', 'revision').disk;
    const { position } = story.host;
    planOf(to.repairDrift('box:private'));
    expect(factsSince(position)).toEqual(['DiskLost', 'VolumeReverted', 'DriftRepaired']);
    expect(expected('box:private', 'revision').disk.id).toBe(id);
  });
});

describe('ignore', () => {
  const difference = { object: 'qubes_dom0/x', about: 'box:private', problem: 'is gone', fingerprint: 'f' };

  test('is an event with its reason, once; notice takes it back', () => {
    const { position } = story.host;
    story.submit(to.ignoreDrift('known', difference));
    story.submit(to.ignoreDrift('known', difference));
    expect(story.host.answers.get('qubes_dom0/x')).toMatchObject({ is: 'ignored', fingerprint: 'f', reason: 'known' });
    expect(factsSince(position)).toEqual(['DriftIgnored']);
    story.submit(to.noticeDrift('qubes_dom0/x'));
    expect(story.host.answers.size).toBe(0);
    expect(codeOf(to.noticeDrift('qubes_dom0/x'))).toBe('D_NOT_FOUND');
  });

  test('counts for one difference only: another disk or another size has another fingerprint', () => {
    const at = expected('box:private', 'current');
    const all: readonly DiskDifference[] = [
      { is: 'gone', expected: at },
      { is: 'resized', expected: at, seen: seen(at, { bytes: 1 }) },
      { is: 'resized', expected: at, seen: seen(at, { bytes: 2 }) },
      { is: 'renamed', expected: at, seen: seen(at, { name: 'x' }) },
      { is: 'replaced', expected: at, there: stranger(at), seen: null },
      { is: 'replaced', expected: at, there: { ...stranger(at), bytes: 9 }, seen: null },
    ];
    expect(new Set(all.map(fingerprintOf)).size).toBe(all.length);
  });
});

test('however the disks of a volume changed places, taking them over loses none and keeps every place filled', () => {
  for (let run = 0; run < 3; run++)
    for (const command of [to.keep('box:private', 9), to.start('box'), to.stop('box')]) {
      story.now += 1000;
      story.submit(command);
    }
  const before = volume('box:private');
  const ids = disksOf(before).map(({ disk }) => disk.id);
  fc.assert(
    fc.property(fc.shuffledSubarray(ids, { minLength: ids.length }), (now) => {
      const disks = ids.map((was, at) => {
        const id = now[at] as DiskId;
        return { was, disk: { id, bytes: 4096 }, name: was, origin: null };
      });
      const after = evolveDrifted(before, { type: 'DisksAccepted', volume: before.spec.key, disks });
      expect(disksOf(after).map(({ disk }) => disk.id)).toEqual(now);
    }),
  );
});
