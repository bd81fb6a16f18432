import { describe, expect, test } from 'vitest';
import type { Pool } from '../../domain/pool/pool.ts';
import { checkSpec } from '../../domain/volume/spec-rules.ts';
import type { VolumeSpec } from '../../domain/volume/volume.ts';
import {
  addVolume,
  appVm,
  dispVm,
  init,
  keep,
  kernelPool,
  lvmPool,
  recordReboot,
  setProperty,
  setVolume,
  standaloneVm,
  start,
  templateVm,
} from './commands.ts';
import { given, type Story } from './given.ts';
import { smallHost, wideHost } from './hosts.ts';

const GIB = 2 ** 30;

describe('the volumes of a new VM', () => {
  const shapes = (story: Story, vm: string): readonly string[] =>
    Object.values(story.vm(vm).volumes).map(({ spec }) => {
      const flag = (on: boolean): string => (on ? 'T' : 'F');
      const pair = `(${flag(spec.snapOnStart)},${flag(spec.saveOnStop)})`;
      return `${spec.name} ${pair} ${spec.rw ? 'rw' : 'ro'} ${spec.bytes / GIB} ${spec.source ?? '-'}`;
    });
  const OWN = ['root (F,T) rw 10 -', 'private (F,T) rw 2 -', 'volatile (F,F) rw 10 -', 'kernel (F,F) ro 0 -'];

  test('of a template and a standalone are its own root and private, in the order of the block devices', () => {
    expect(shapes(wideHost(), 'fedora')).toEqual(OWN);
    expect(shapes(wideHost().after(standaloneVm('alone')), 'alone')).toEqual(OWN);
  });

  test('of an AppVM are the template’s root and its own private', () => {
    expect(shapes(wideHost(), 'work')).toEqual(['root (T,F) rw 10 fedora:root', ...OWN.slice(1)]);
  });

  test('of a disposable are the TemplateVM’s root, its AppVM’s private, and a volatile as large as both', () => {
    expect(shapes(wideHost(), 'disp1')).toEqual([
      'root (T,F) rw 10 fedora:root',
      'private (T,F) rw 2 dvm:private',
      'volatile (F,F) rw 12 -',
      'kernel (F,F) ro 0 -',
    ]);
  });

  test('include the template’s extra volumes, in the shape they have there', () => {
    const story = smallHost().after(
      addVolume('fedora:base', { bytes: 3 * GIB }),
      addVolume('fedora:link', { snapOnStart: true, saveOnStop: false, source: 'fedora:base' }),
      appVm('mail', { template: 'fedora' }),
    );
    expect(shapes(story, 'mail').slice(4)).toEqual(['base (F,T) rw 3 -', 'link (T,F) rw 3 fedora:base']);
  });

  test('take pool, revisions and ids from the pool: a name per volume, a path per class of VM', () => {
    const vids = (name: string) =>
      Object.values(
        wideHost()
          .after(standaloneVm('alone', { pool: 'files' }))
          .vm(name).volumes,
      ).map(({ spec }) => `${spec.pool} ${spec.vid}`);
    expect(vids('work').slice(0, 2)).toEqual(['lvm qubes_dom0/vm-work-root', 'lvm qubes_dom0/vm-work-private']);
    expect(vids('alone').slice(0, 2)).toEqual(['files appvms/alone/root', 'files appvms/alone/private']);
    const templates = wideHost().after(templateVm('debian', { pool: 'files' }));
    expect(templates.volume('debian:root').spec.vid).toBe('vm-templates/debian/root');
  });
});

describe('what starts from something else', () => {
  test('follows the chain of templates up to a volume that is kept', () => {
    const story = wideHost().after(start('disp1'));
    const root = story.volume('disp1:root').situation;
    const template = story.volume('fedora:root').situation;
    expect(root.is === 'running' && template.is === 'clean' && root.session.origin).toBe(
      template.is === 'clean' && template.current.id,
    );
  });

  test('is outdated once its source was committed again: its origin is no longer the current disk', () => {
    const story = smallHost().after(start('work'));
    const origin = () => {
      const { situation } = story.volume('work:root');
      const source = story.volume('fedora:root').situation;
      return situation.is === 'running' && source.is === 'clean' && situation.session.origin === source.current.id;
    };
    expect(origin()).toBe(true);
    story.after(start('fedora'));
    story.submit({ name: 'StopVM', payload: { name: 'fedora' as never, discard: false } });
    expect(origin()).toBe(false);
  });

  test('follows a change of template: source and size, and only while the VM is halted', () => {
    const story = smallHost().after(templateVm('debian'));
    story
      .after(start('work'))
      .when(setProperty('work', 'template', 'debian'))
      .thenRejected('D_NOT_HALTED');
    const halted = smallHost().after(templateVm('debian'), setProperty('work', 'template', 'debian'));
    expect(halted.volume('work:root').spec.source).toBe('debian:root');
    halted
      .when(start('work'))
      .thenPlan([
        'work:root: snapshot qubes_dom0/vm-debian-root -> session',
        expect.any(String),
        expect.any(String),
        expect.any(String),
        expect.any(String),
      ]);
  });

  test('a template cannot be unset, must be a TemplateVM, and for a disposable an AppVM meant for it', () => {
    const story = wideHost();
    story.when(setProperty('work', 'template', null)).thenRejected('D_PROPERTY_INVALID', 'template cannot be unset');
    story.when(setProperty('work', 'template', 'dvm')).thenRejected('D_REFERENCE_INVALID', 'VM dvm is no TemplateVM');
    story
      .when(dispVm('disp2', { template: 'work' }))
      .thenRejected('D_REFERENCE_INVALID', 'work is no AppVM with template_for_dispvms');
    story.when(appVm('x')).thenRejected('D_REFERENCE_INVALID', 'AppVM needs a template');
    story
      .when(standaloneVm('x', { template: 'fedora' }))
      .thenRejected('D_CLASS_REFUSES', 'StandaloneVM has no template');
  });
});

describe('the rules of a volume', () => {
  const host = smallHost().host;
  const base = smallHost().volume('work:private').spec;
  const lvm = host.pools.get('lvm' as never) as Pool;
  const kernels = host.pools.get('linux-kernel' as never) as Pool;
  const check = (change: Partial<VolumeSpec>, pool: Pool = lvm) => {
    const checked = checkSpec({ ...base, ...change }, pool, host);
    return checked.ok ? 'ok' : `${checked.error.code}: ${checked.error.message}`;
  };
  const root = 'fedora:root' as VolumeSpec['source'];

  test.each([
    [
      'snap_on_start without a source',
      { snapOnStart: true },
      "D_SPEC_INVALID: snap_on_start specified on 'private' but no volume source set",
    ],
    [
      'a source without snap_on_start',
      { source: root },
      "D_SPEC_INVALID: source specified on 'private' but no snap_on_start set",
    ],
    ['revisions_to_keep below -1', { revisionsToKeep: -2 }, 'D_SPEC_INVALID: Invalid value for revisions_to_keep'],
    ['half a revision', { revisionsToKeep: 0.5 }, 'D_SPEC_INVALID: Invalid value for revisions_to_keep'],
    [
      'ephemeral on what is kept',
      { ephemeral: true },
      'D_SPEC_INVALID: Cannot enable ephemeral on snap_on_start or save_on_stop or non-dom0 or not writable volume',
    ],
    [
      'a source that does not exist',
      { snapOnStart: true, source: 'nobody:root' as VolumeSpec['source'] },
      'D_NOT_FOUND: the source nobody:root of work:private does not exist',
    ],
    [
      'a source that keeps nothing',
      { snapOnStart: true, source: 'fedora:volatile' as VolumeSpec['source'] },
      'D_SOURCE_INVALID: the source fedora:volatile of work:private keeps nothing to start from',
    ],
  ])('refuse %s', (_, change, sentence) => {
    expect(check(change)).toBe(sentence);
  });

  test('allow what stock allows: (T,T) on LVM, ephemeral on a volatile volume, -1', () => {
    expect(check({ snapOnStart: true, source: root })).toBe('ok');
    expect(check({ ephemeral: true, saveOnStop: false })).toBe('ok');
    expect(check({ revisionsToKeep: -1 })).toBe('ok');
  });

  test.each([
    ['saves', { saveOnStop: true }, 'a linux-kernel pool does not support save_on_stop'],
    ['snapshots', { saveOnStop: false, snapOnStart: true }, 'a linux-kernel pool does not support snap_on_start'],
    ['can be written to', { saveOnStop: false, rw: true }, 'a linux-kernel pool supports only read-only volumes'],
    ['has revisions', { saveOnStop: false, rw: false, revisionsToKeep: 1 }, 'a linux-kernel pool keeps no revisions'],
  ])('refuse a kernel that %s', (_, change, sentence) => {
    expect(check(change, kernels)).toBe(`D_SPEC_INVALID: ${sentence}`);
  });

  test('refuse a source in another pool, also by way of --pool', () => {
    const story = wideHost();
    const wish = { snapOnStart: true, saveOnStop: false, source: 'fedora:root', pool: 'files' };
    const sentence = 'must be in the same pool as its origin fedora:root (lvm)';
    story.when(addVolume('work:base', wish)).thenRejected('D_SOURCE_INVALID', sentence);
    story
      .when(appVm('mail', { template: 'fedora', pools: { root: 'files' } }))
      .thenRejected('D_SOURCE_INVALID', sentence);
    const moved = story.after(appVm('mail', { template: 'fedora', pool: 'files' }));
    expect([moved.volume('mail:root').spec.pool, moved.volume('mail:private').spec.pool]).toEqual(['lvm', 'files']);
  });

  test('refuse to switch snapshots off or on under a session, and rw while the VM runs', () => {
    const running = smallHost().after(start('work'));
    running.when(keep('work:private', -1)).thenRejected('D_NOT_HALTED');
    running.when(setVolume('work:private', { rw: false })).thenRejected('D_NOT_HALTED');
    running.when(keep('work:private', 5)).thenFacts([{ type: 'VolumeChanged', before: { revisionsToKeep: 1 } }]);
    running.after(recordReboot('b')).when(keep('work:private', -1)).thenRejected('D_DIRTY');
  });

  test('refuse an id that another volume of the pool has: VM `w-private` volume `x`, VM `w` volume `private-x`', () => {
    const story = given().after(
      init(lvmPool()),
      standaloneVm('w'),
      standaloneVm('w-private'),
      addVolume('w:private-x'),
    );
    story
      .when(addVolume('w-private:x'))
      .thenRejected(
        'D_SPEC_INVALID',
        'w-private:x and w:private-x would both be qubes_dom0/vm-w-private-x in pool lvm',
      );
  });

  test('refuse an LV name that would not fit LVM', () => {
    const longest = lvmPool('lvm', { volumeGroup: 'g'.repeat(90) });
    given()
      .after(init(longest))
      .when(standaloneVm('a-long-name'))
      .thenRejected('D_SPEC_INVALID', 'is too long for LVM');
  });

  test('a volume without a pool of its own goes to the default: the one set, the one called default, the first with disks', () => {
    const poolOf = (story: Story): string =>
      story.after(standaloneVm('alone'), addVolume('alone:data')).volume('alone:data').spec.pool;
    const other = lvmPool('default', { thinPool: 'other' });
    expect(poolOf(given().after(init(lvmPool('first'))))).toBe('first');
    expect(poolOf(given().after(init(lvmPool('first'), other)))).toBe('default');
    expect(poolOf(given().after(init(lvmPool('first'), other), setProperty(null, 'default_pool', 'first')))).toBe(
      'first',
    );
    expect(kernelPool.name).toBe('linux-kernel');
  });
});
