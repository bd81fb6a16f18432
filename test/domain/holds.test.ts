import { describe, expect, test } from 'vitest';
import { planUndo } from '../../domain/command/undo.ts';
import type { Command } from '../../domain/decide.ts';
import { bind } from '../../domain/steps.ts';
import {
  addPool,
  addVolume,
  appVm,
  cloneVm,
  cloneVolume,
  commit,
  dispVm,
  exportTo,
  filePool,
  importFile,
  importStdin,
  init,
  keep,
  lvmPool,
  pin,
  recordReboot,
  removePool,
  removeVm,
  removeVolume,
  resize,
  revert,
  setProperty,
  setTag,
  start,
  stop,
  templateVm,
  unpin,
} from './commands.ts';
import { given, type Story, wordsOf } from './given.ts';
import { smallHost, wideHost } from './hosts.ts';

const GIB = 2 ** 30;

describe('while a command is not over', () => {
  /** `first` is accepted and none of its steps is done. */
  const during = (first: Command, story: Story = wideHost()): Story => {
    expect(story.accept(first).decision.ok).toBe(true);
    return story;
  };

  test('another one on the same volume is told who is in the way and what to type', () => {
    const { decision } = during(importFile('work:private')).when(resize('work:private', 4 * GIB));
    expect(decision).toMatchObject({
      error: {
        code: 'D_BUSY',
        message: 'work:private is held by ImportVolume (cmd:c8)',
        holder: 'c8',
        next: expect.stringContaining('domtrail recover'),
      },
    });
  });

  test.each<readonly [string, Command]>([
    ['start', start('work')],
    ['be removed', removeVm('work')],
    ['be cloned', cloneVm('work', 'copy')],
    ['commit that volume', commit('work:private')],
    ['change how many of its revisions are kept', keep('work:private', 3)],
  ])('its VM may not %s', (_, command) => {
    during(importFile('work:private')).when(command).thenRejected('D_BUSY');
  });

  test('other volumes of the VM and other VMs go on', () => {
    const story = wideHost().after(addVolume('work:data'));
    during(importFile('work:private'), story);
    for (const command of [resize('work:data', 4 * GIB), start('dvm'), setTag('work', 'x', true)]) {
      expect(story.when(command).decision.ok).toBe(true);
    }
  });

  test('readers share: two exports of one volume, two VMs of one template', () => {
    expect(during(exportTo('work:private')).when(exportTo('work:private', '/tmp/other.img')).decision.ok).toBe(true);
    expect(during(start('work')).when(start('dvm')).decision.ok).toBe(true);
  });

  test('what is being read may not change: a template while a VM starts from it, a source while it is copied', () => {
    during(start('work')).when(start('fedora')).thenRejected('D_BUSY', 'fedora:root');
    during(cloneVolume('dvm:private', 'work:private')).when(importFile('dvm:private')).thenRejected('D_BUSY');
    during(appVm('mail', { template: 'fedora' }))
      .when(removeVm('fedora'))
      .thenRejected('D_IN_USE');
  });

  test('a name that is being made is taken', () => {
    during(templateVm('debian')).when(templateVm('debian')).thenRejected('D_BUSY', 'debian is held by CreateVM');
    during(cloneVm('work', 'copy'))
      .when(appVm('copy', { template: 'fedora' }))
      .thenRejected('D_BUSY');
  });

  test('it is over, and free again, when it completes', () => {
    const story = wideHost().after(importFile('work:private'));
    expect(story.when(resize('work:private', 4 * GIB)).decision.ok).toBe(true);
  });
});

describe('the way back of a command', () => {
  const undoAfter = (command: Command, steps: number, story: Story): readonly string[] => {
    const { id, decision } = story.accept(command);
    if (!decision.ok) throw new Error(decision.error.message);
    const operation = story.host.operations.get(id);
    if (!operation) throw new Error('nothing is open');
    const done = Object.fromEntries(
      decision.value.plan.main
        .slice(0, steps)
        .map(({ n, deed }) => [n, deed.do === 'stopDomain' ? null : { id: `made-${n}` as never, bytes: GIB }]),
    );
    return wordsOf(planUndo({ ...operation, done }).main);
  };

  test('takes back in reverse order exactly what is recorded', () => {
    expect(undoAfter(stop('work'), 4, smallHost().after(start('work')))).toEqual([
      'work:private: move current -> session',
      'work:private: move revision 1 -> current',
      expect.stringMatching(/^work:root: move trash \d+ -> session/),
    ]);
  });

  test('throws away what was made, by way of the trash, and never erases a disk that was there before', () => {
    expect(undoAfter(start('work'), 2, smallHost())).toEqual([
      expect.stringMatching(/^work:private: move session -> trash/),
      expect.stringMatching(/^work:root: move session -> trash/),
    ]);
  });

  test('of nothing is nothing', () => {
    expect(undoAfter(start('work'), 0, smallHost())).toEqual([]);
  });

  test('goes on counting where the plan ended, so no record of a step is ambiguous', () => {
    const story = smallHost();
    const { id } = story.accept(start('work'));
    const operation = story.host.operations.get(id);
    const done = { 1: { id: 'made-1' as never, bytes: GIB } };
    const undo = operation ? planUndo({ ...operation, done }) : null;
    expect([...(undo?.main ?? []), ...(undo?.cleanup ?? [])].map(({ n }) => n)).toEqual([6, 7]);
  });

  test('a fact that refers to a step without a disk is a bug, and says so', () => {
    expect(() => bind({ disk: { madeBy: 3 } } as never, new Map())).toThrow(
      'plan refers to step 3, which made no disk',
    );
  });
});

describe('extra volumes', () => {
  test('can be removed, default ones only with their VM', () => {
    const story = smallHost().after(addVolume('work:data'));
    story.when(removeVolume('work:data')).thenPlan([expect.stringMatching(/^work:data: move current -> trash/)]);
    story.when(removeVolume('work:root')).thenRejected('D_CLASS_REFUSES');
  });

  test('that something starts from cannot be removed, nor can ones with pinned revisions', () => {
    const story = smallHost().after(
      addVolume('fedora:base'),
      addVolume('work:link', { snapOnStart: true, saveOnStop: false, source: 'fedora:base' }),
    );
    story.when(removeVolume('fedora:base')).thenRejected('D_IN_USE', 'work:link starts from fedora:base');
    const pinned = smallHost().after(addVolume('work:data'), start('work'), stop('work'));
    const [revision] = pinned.volume('work:data').revisions;
    pinned
      .after(pin('work:data', revision?.id ?? ''))
      .when(removeVolume('work:data'))
      .thenRejected('D_PINNED');
    expect(pinned.after(unpin('work:data', revision?.id ?? '')).when(removeVolume('work:data')).decision.ok).toBe(true);
  });

  test('are not added to a running VM, nor twice', () => {
    smallHost().after(start('work')).when(addVolume('work:data')).thenRejected('D_NOT_HALTED');
    smallHost().when(addVolume('work:private')).thenRejected('D_EXISTS');
  });
});

describe('pools', () => {
  const host = () => given().after(init(lvmPool('lvm')));

  test('over the storage of another one are refused, whatever their name', () => {
    host()
      .when(addPool(lvmPool('other')))
      .thenRejected('D_EXISTS', 'pool lvm already uses this storage');
    host()
      .when(addPool(lvmPool('lvm', { thinPool: 'other' })))
      .thenRejected('D_EXISTS', 'there is a pool lvm already');
    expect(host().when(addPool(filePool())).decision.ok).toBe(true);
  });

  test('with volumes, or that a global property names, cannot be removed', () => {
    smallHost().when(removePool('lvm')).thenRejected('D_IN_USE', 'pool lvm holds');
    host()
      .after(setProperty(null, 'default_pool', 'lvm'))
      .when(removePool('lvm'))
      .thenRejected('D_IN_USE', 'global default_pool');
    host().when(removePool('none')).thenRejected('D_NOT_FOUND');
    host()
      .after(addPool(filePool()))
      .when(removePool('files'))
      .thenFacts([{ type: 'PoolRemoved' }]);
  });
});

describe('init and reboot', () => {
  test('nothing can be asked of a host before init, and a second init is no work', () => {
    given().when(templateVm('fedora')).thenRejected('D_HOME_MISSING');
    smallHost().when(init(lvmPool())).thenNothing();
  });

  test('a reboot leaves each kept session to a decision and throws the rest away; VMs of this boot are not touched', () => {
    const story = smallHost().after(start('work'));
    story.when(recordReboot('boot-1')).thenNothing();
    story
      .when(recordReboot('boot-2'))
      .thenPlan([
        expect.stringMatching(/^work:root: move session -> trash/),
        expect.stringMatching(/^work:volatile: move scratch -> trash/),
      ]);
    story.after(recordReboot('boot-2'));
    expect(story.volume('work:private').situation.is).toBe('dirty');
    expect(story.vm('work').power.is).toBe('halted');
  });

  test('a reboot commits nothing: the committed disk and its revisions are those from before', () => {
    const story = smallHost().after(start('work'), stop('work'), start('work'));
    const before = story.volume('work:private');
    const after = story.after(recordReboot('boot-2')).volume('work:private');
    expect(after.revisions).toEqual(before.revisions);
    expect('current' in after.situation && 'current' in before.situation && after.situation.current).toEqual(
      'current' in before.situation ? before.situation.current : null,
    );
  });

  test('an import from standard input is planned with the size the volume has', () => {
    const { decision } = smallHost().when(importStdin('work:private'));
    expect(decision.ok && decision.value.plan.main[0]?.deed).toMatchObject({ bytes: 2 * GIB });
  });

  test('a disposable is made from its template’s committed private disk', () => {
    const story = wideHost().after(dispVm('disp2', { template: 'dvm' }), start('disp2'));
    expect(story.volume('disp2:private').situation.is).toBe('running');
    story.when(revert('disp2:private')).thenRejected('D_NOTHING_COMMITTED');
  });
});
