import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Role } from '../../../domain/disk.ts';
import {
  imageName,
  isLeavingOf,
  isVid,
  looksLikeImage,
  markerName,
  markerTemporaryName,
  parseImageName,
  parseMarkerName,
  slotOf,
  temporaryName,
} from '../../../infrastructure/drivers/file-reflink/names.ts';

/** Few letters and many separators, so that names extend each other all the time. */
const tail = (extra: readonly string[]) =>
  fc
    .array(fc.constantFrom('a', 'B', '1', '_', '-', ...extra), { maxLength: 8 })
    .map((characters) => characters.join(''));
const part = (start: readonly string[], extra: readonly string[]) =>
  fc.tuple(fc.constantFrom(...start), tail(extra)).map(([head, rest]) => head + rest);
const awkward = fc.constantFrom('-1-trash-back', '-new-import', '-back', '-3', '-1', '.img', '-snap', '');

const vm = fc.tuple(part(['a', 'work'], ['.']), awkward).map(([name, end]) => name + end);
const volume = fc
  .tuple(part(['p', 'private'], []), awkward)
  .map(([name, end]) => (name + end).replaceAll('.', '_'))
  .filter((name) => isVid(`appvms/x/${name}`));
const vid = fc.tuple(fc.constantFrom('appvms', 'vm-templates'), vm, volume).map((parts) => parts.join('/'));
const position = fc.integer({ min: 0, max: 1000 });
const role: fc.Arbitrary<Role> = fc.oneof(
  fc.constantFrom('current', 'session', 'scratch', 'direct', 'import').map((kind) => ({ kind })),
  fc.record({
    kind: fc.constant('revision'),
    number: fc.integer({ min: 1, max: 10 ** 6 }),
    at: fc.integer({ min: 0, max: 253_402_300_799 }),
  }),
  fc.record({ kind: fc.constantFrom('incoming', 'trash'), position }),
) as fc.Arbitrary<Role>;

describe('names of images', () => {
  test('a name parses back to the volume and slot it was made from', () => {
    fc.assert(
      fc.property(vid, role, (id, of) => {
        expect(parseImageName(imageName(id, of))).toEqual({ vid: id, slot: slotOf(of) });
      }),
      { numRuns: 2000 },
    );
  });

  test('two volumes or slots never share a name, however their names extend each other', () => {
    fc.assert(
      fc.property(vid, role, vid, role, (vid1, role1, vid2, role2) => {
        const same = JSON.stringify([vid1, slotOf(role1)]) === JSON.stringify([vid2, slotOf(role2)]);
        expect(imageName(vid1, role1) === imageName(vid2, role2)).toBe(same);
      }),
      { numRuns: 2000 },
    );
  });

  test('names are those of the stock file-reflink layout', () => {
    const named = (of: Role) => imageName('appvms/work/private', of);
    expect(named({ kind: 'current' })).toBe('appvms/work/private.img');
    expect(named({ kind: 'session' })).toBe('appvms/work/private-dirty.img');
    expect(named({ kind: 'import' })).toBe('appvms/work/private-import.img');
    expect(named({ kind: 'revision', number: 12, at: 1_700_000_000 })).toBe(
      'appvms/work/private.img.12@2023-11-14T22:13:20Z',
    );
    expect(named({ kind: 'trash', position: 9 })).toBe('.domtrail/appvms+work+private-9-trash-back');
    expect(named({ kind: 'incoming', position: 9 })).toBe('.domtrail/appvms+work+private-9-new-import');
  });

  test('no name leads out of the pool or into another volume', () => {
    for (const wrong of [
      '../x/y',
      'appvms/../y',
      'appvms/./y',
      '/appvms/x/y',
      'appvms/x/../y',
      'appvms/x',
      'appvms/x/y/z',
      'other/x/y',
      'appvms/x/y.img',
      'appvms/-x/y',
      'appvms/x/y\0',
      'appvms/x/y\n',
      'appvms//y',
      '',
      'appvms/x/y-dirty',
      'appvms/x/y-import',
      'appvms/x/y-precache',
    ]) {
      expect(isVid(wrong), wrong).toBe(false);
      expect(() => imageName(wrong, { kind: 'current' }), wrong).toThrow();
    }
  });

  test('arbitrary file names are either refused or mean exactly one place', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(vid, awkward, fc.string()).map((parts) => parts.join('')),
        ),
        (name) => {
          const parsed = parseImageName(name);
          if (parsed) {
            const back = parsed.slot.kind === 'running' ? ({ kind: 'session' } as const) : parsed.slot;
            expect(imageName(parsed.vid, back)).toBe(name);
          }
        },
      ),
    );
  });

  test('a revision of a day that never was is not ours', () => {
    expect(parseImageName('appvms/x/y.img.1@2023-02-28T10:00:00Z')).not.toBeNull();
    for (const time of [
      '2023-02-30T10:00:00Z',
      '2023-13-01T10:00:00Z',
      '2023-02-28T24:00:00Z',
      '2023-02-28T10:00:60Z',
    ]) {
      expect(parseImageName(`appvms/x/y.img.1@${time}`), time).toBeNull();
    }
  });

  test('only images count as disks in a directory of a VM', () => {
    expect(looksLikeImage('private.img')).toBe(true);
    expect(looksLikeImage('private.img.3@2023-11-14T22:13:20Z')).toBe(true);
    for (const other of ['firewall.xml', 'private.img~1234', 'img', 'private.img.bak'])
      expect(looksLikeImage(other)).toBe(false);
  });
});

const commandId = fc
  .tuple(
    fc.constantFrom('a', 'b1', '7'),
    fc.array(fc.constantFrom('.', '1', 'tmp', 'json', '.json', '.2', '-'), { maxLength: 5 }),
  )
  .map(([start, rest]) => start + rest.join(''));
const step = fc.integer({ min: 0, max: 20 });

describe('names of markers and temporaries', () => {
  test('a marker tells its step', () => {
    fc.assert(
      fc.property(commandId, step, (command, n) => {
        const file = markerName({ command, step: n }).replace('.domtrail/', '');
        expect(parseMarkerName(file)).toEqual({ command, step: n });
      }),
    );
  });

  test('what a command leaves belongs to that command and to no other whose id begins alike', () => {
    fc.assert(
      fc.property(commandId, commandId, step, fc.nat(99_999), (one, other, n, pid) => {
        const key = { command: one, step: n };
        for (const name of [markerName(key), temporaryName(key, pid), markerTemporaryName(key, pid)]) {
          expect(isLeavingOf(name.replace('.domtrail/', ''), other)).toBe(one === other);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('no marker or temporary looks like an image', () => {
    fc.assert(
      fc.property(commandId, step, fc.nat(99_999), (command, n, pid) => {
        const key = { command, step: n };
        for (const name of [markerName(key), temporaryName(key, pid), markerTemporaryName(key, pid)]) {
          expect(parseImageName(name)).toBeNull();
        }
      }),
    );
  });
});
