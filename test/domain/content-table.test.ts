import { describe, expect, test } from 'vitest';
import {
  cloneVm,
  exportTo,
  importFile,
  importStdin,
  keep,
  pin,
  recordReboot,
  removeVm,
  resize,
  revert,
  setVolume,
  standaloneVm,
  start,
  stop,
} from './commands.ts';
import { smallHost } from './hosts.ts';

const GIB = 2 ** 30;

describe('revert', () => {
  test('copies the revision and keeps the replaced state, so that it can itself be reverted', () => {
    smallHost(2)
      .after(start('work'), stop('work'))
      .when(revert('work:private'))
      .thenPlan([
        expect.stringMatching(/^work:private: snapshot revision 1 -> incoming/),
        'work:private: move current -> revision 2',
        expect.stringMatching(/^work:private: move incoming \d+ -> current/),
      ])
      .thenCleanup([]);
  });

  test('is refused while the VM runs, while a session waits, without a revision, and on read-only', () => {
    const story = smallHost().after(start('work'), stop('work'), start('work'));
    story.when(revert('work:private')).thenRejected('D_NOT_HALTED');
    story.after(recordReboot('boot-2')).when(revert('work:private')).thenRejected('D_DIRTY');
    smallHost().when(revert('work:private')).thenRejected('D_NOT_FOUND', 'work:private has no revision');
    smallHost().when(revert('work:root')).thenRejected('D_NOTHING_COMMITTED');
    smallHost().when(revert('work:volatile')).thenRejected('D_NOTHING_COMMITTED');
    smallHost()
      .after(setVolume('work:private', { rw: false }))
      .when(revert('work:private'))
      .thenRejected('D_READ_ONLY');
  });
});

describe('resize', () => {
  const resized = 'to 3.0 GiB';

  test('grows the committed disk of a halted VM, the session of a running one, and the scratch disk of a volatile one', () => {
    smallHost()
      .when(resize('work:private', 3 * GIB))
      .thenPlan([`work:private: resize current ${resized}`]);
    const running = smallHost().after(start('work'));
    running.when(resize('work:private', 3 * GIB)).thenPlan([`work:private: resize session ${resized}`]);
    running.when(resize('work:root', 12 * GIB)).thenPlan(['work:root: resize session to 12.0 GiB']);
    running.when(resize('work:volatile', 12 * GIB)).thenPlan(['work:volatile: resize scratch to 12.0 GiB']);
    const direct = smallHost().after(keep('work:private', -1), start('work'));
    direct.when(resize('work:private', 3 * GIB)).thenPlan([`work:private: resize direct ${resized}`]);
  });

  test('of a volatile volume at rest only changes the wish', () => {
    smallHost()
      .when(resize('work:volatile', 12 * GIB))
      .thenPlan([])
      .thenFacts([{ type: 'VolumeResized', disk: null }]);
  });

  test('of a snapshot volume at rest names the volume to resize instead', () => {
    smallHost()
      .when(resize('work:root', 12 * GIB))
      .thenRejected('D_SOURCE_INVALID', 'fedora:root at each start: resize that');
  });

  test('to the size it has is no work', () => {
    smallHost()
      .when(resize('work:private', 2 * GIB))
      .thenNothing();
  });

  test('to less is refused without --shrink, and with it cuts a copy and keeps the whole as a revision', () => {
    smallHost().when(resize('work:private', GIB)).thenRejected('D_SHRINK', 'work:private has 2.0 GiB');
    smallHost()
      .when(resize('work:private', GIB, true))
      .thenPlan([
        expect.stringMatching(/^work:private: snapshot current -> incoming/),
        expect.stringMatching(/^work:private: resize incoming \d+ to 1.0 GiB/),
        'work:private: move current -> revision 1',
        expect.stringMatching(/^work:private: move incoming \d+ -> current/),
      ]);
    smallHost()
      .after(start('work'))
      .when(resize('work:private', GIB, true))
      .thenRejected('D_NOT_HALTED');
  });

  test('of read-only volumes and kernels is refused', () => {
    smallHost().when(resize('work:kernel', GIB)).thenRejected('D_DRIVER_REFUSES');
    smallHost()
      .after(setVolume('work:private', { rw: false }))
      .when(resize('work:private', 3 * GIB))
      .thenRejected('D_READ_ONLY');
  });
});

describe('import and export', () => {
  test('import fills a disk that nobody sees, then puts it in the place of the committed one', () => {
    smallHost()
      .when(importFile('work:private', '/tmp/disk.img', 3 * GIB))
      .thenPlan([
        'work:private: create import, 3.0 GiB',
        'work:private: fill import from /tmp/disk.img',
        'work:private: move current -> revision 1',
        'work:private: move import -> current',
      ]);
  });

  test('import from standard input keeps the size', () => {
    const { decision } = smallHost().when(importStdin('work:private'));
    expect(decision.ok && decision.value.plan.main[0]?.deed).toMatchObject({ do: 'create', bytes: 2 * GIB });
  });

  test('import of nothing, into a running VM, over a waiting session, or into what is not kept is refused', () => {
    smallHost()
      .when(importFile('work:private', '/tmp/disk.img', 0))
      .thenRejected('D_BAD_INPUT');
    const running = smallHost().after(start('work'));
    running.when(importFile('work:private')).thenRejected('D_NOT_HALTED');
    running.when(importFile('work:volatile')).thenRejected('D_NOTHING_COMMITTED');
    running.after(recordReboot('boot-2')).when(importFile('work:private')).thenRejected('D_DIRTY');
  });

  test('export reads the committed state, also from under a running session', () => {
    const expected = ['work:private: activate current', 'work:private: copy current to /tmp/out.img'];
    smallHost().when(exportTo('work:private')).thenPlan(expected);
    smallHost().after(start('work')).when(exportTo('work:private')).thenPlan(expected);
  });

  test('export refuses what has no committed state, or one that is older than a waiting session', () => {
    smallHost().when(exportTo('work:root')).thenRejected('D_NOTHING_COMMITTED');
    smallHost().after(start('work'), recordReboot('b')).when(exportTo('work:private')).thenRejected('D_DIRTY');
    smallHost()
      .after(keep('work:private', -1), start('work'))
      .when(exportTo('work:private'))
      .thenRejected('D_NOT_HALTED');
  });
});

describe('clone and remove of a VM', () => {
  test('clone copies the committed disks and nothing else: no empty revision, no session', () => {
    const story = smallHost().after(start('work'), stop('work'));
    story.when(cloneVm('work', 'copy')).thenPlan(['copy:private: snapshot qubes_dom0/vm-work-private -> current']);
    expect(story.after(cloneVm('work', 'copy')).volume('copy:private').revisions).toEqual([]);
  });

  test('clone of a VM with a waiting session is refused, so the newest data cannot be left behind unseen', () => {
    smallHost().after(start('work'), recordReboot('b')).when(cloneVm('work', 'copy')).thenRejected('D_DIRTY');
  });

  test('remove moves every disk out of sight and erases none: they wait in the trash', () => {
    smallHost()
      .after(start('work'), stop('work'))
      .when(removeVm('work'))
      .thenPlan([
        expect.stringMatching(/^work:private: move current -> trash/),
        expect.stringMatching(/^work:private: move revision 1 -> trash/),
      ])
      .thenCleanup([]);
  });

  test('remove is refused while the VM runs, while something refers to it, and while a revision is pinned', () => {
    smallHost().after(start('work')).when(removeVm('work')).thenRejected('D_NOT_HALTED');
    smallHost().when(removeVm('fedora')).thenRejected('D_IN_USE', 'template of work');
    smallHost()
      .when(removeVm('dom0' as never))
      .thenRejected('D_CLASS_REFUSES');
    const pinned = smallHost().after(start('work'), stop('work'));
    const [revision] = pinned.volume('work:private').revisions;
    pinned
      .after(pin('work:private', revision?.id ?? ''))
      .when(removeVm('work'))
      .thenRejected('D_PINNED');
  });

  test('a StandaloneVM has a root of its own', () => {
    smallHost()
      .after(standaloneVm('alone'))
      .when(cloneVm('alone', 'copy'))
      .thenPlan([
        'copy:root: snapshot qubes_dom0/vm-alone-root -> current',
        'copy:private: snapshot qubes_dom0/vm-alone-private -> current',
      ]);
  });
});
