import { describe, expect, test } from 'vitest';
import {
  addVolume,
  appVm,
  commit,
  discard,
  init,
  keep,
  kill,
  lvmPool,
  recordReboot,
  setVolume,
  start,
  stop,
  stopDiscarding,
  templateVm,
} from './commands.ts';
import { given } from './given.ts';
import { smallHost, wideHost } from './hosts.ts';

describe('create', () => {
  test('makes one empty disk for each volume that is kept at stop, and nothing for the others', () => {
    given()
      .after(init(lvmPool()))
      .when(templateVm('fedora'))
      .thenPlan(['fedora:root: create current, 10.0 GiB', 'fedora:private: create current, 2.0 GiB'])
      .thenCleanup([])
      .thenFacts([{ type: 'VmCreated' }, { type: 'VolumeProvisioned' }, { type: 'VolumeProvisioned' }]);
  });

  test('gives an AppVM a private disk only: its root is made at each start', () => {
    smallHost()
      .when(appVm('mail', { template: 'fedora' }))
      .thenPlan(['mail:private: create current, 2.0 GiB']);
  });

  test('gives a disposable nothing at all', () => {
    expect(wideHost().volume('disp1:root').situation).toEqual({ is: 'absent' });
    expect(wideHost().volume('disp1:private').situation).toEqual({ is: 'absent' });
  });

  test('copies the source of a volume that starts from one and is kept (T,T)', () => {
    smallHost()
      .when(addVolume('work:both', { snapOnStart: true, saveOnStop: true, source: 'fedora:root' }))
      .thenPlan(['work:both: snapshot qubes_dom0/vm-fedora-root -> current']);
  });

  test('makes nothing for a kernel', () => {
    expect(smallHost().volume('work:kernel').situation).toEqual({ is: 'absent' });
  });
});

describe('start', () => {
  test('snapshots what is kept, snapshots the template for what is not, and makes the volatile disk', () => {
    smallHost()
      .when(start('work'))
      .thenPlan([
        'work:root: snapshot qubes_dom0/vm-fedora-root -> session',
        'work:private: snapshot current -> session',
        'work:volatile: create scratch, 10.0 GiB',
        'work: start the domain',
        'work: write 20 keys into the QubesDB of work',
      ])
      .thenCleanup([]);
  });

  test('records from which disk each session was made', () => {
    const story = smallHost().after(start('work'));
    const root = story.volume('work:root').situation;
    const template = story.volume('fedora:root').situation;
    expect(root.is === 'running' && template.is === 'clean' && root.session.origin === template.current.id).toBe(true);
  });

  test('of a running VM is no work', () => {
    smallHost().after(start('work')).when(start('work')).thenNothing();
  });

  test('gives the committed disk itself to a VM whose volume keeps no snapshots (-1), and drops its revisions', () => {
    smallHost()
      .after(start('work'), stop('work'), keep('work:private', -1))
      .when(start('work'))
      .thenPlan([
        'work:root: snapshot qubes_dom0/vm-fedora-root -> session',
        'work:private: move current -> direct',
        'work:volatile: create scratch, 10.0 GiB',
        'work: start the domain',
        'work: write 20 keys into the QubesDB of work',
      ])
      .thenCleanup([
        expect.stringMatching(/^work:private: move revision 1 -> trash/),
        expect.stringMatching(/^work:private: erase trash/),
      ]);
  });

  test('goes on with the session that a crash of the host left, and touches nothing else of it', () => {
    const story = smallHost().after(start('work'), recordReboot('boot-2'));
    story.bootId = 'boot-2';
    story
      .when(start('work'))
      .thenPlan([
        'work:root: snapshot qubes_dom0/vm-fedora-root -> session',
        'work:private: activate session',
        'work:volatile: create scratch, 10.0 GiB',
        'work: start the domain',
        'work: write 20 keys into the QubesDB of work',
      ])
      .thenFacts([
        { type: 'SessionOpened' },
        { type: 'SessionResumed' },
        { type: 'ScratchOpened' },
        { type: 'VmStarted' },
      ]);
  });

  test('snapshots the source, not the own disk, of a (T,T) volume', () => {
    smallHost()
      .after(addVolume('work:both', { snapOnStart: true, source: 'fedora:root' }))
      .when(start('work'))
      .thenPlan([
        expect.stringContaining('work:root'),
        expect.stringContaining('work:private'),
        expect.stringContaining('work:volatile'),
        'work:both: snapshot qubes_dom0/vm-fedora-root -> session',
        'work: start the domain',
        'work: write 20 keys into the QubesDB of work',
      ]);
  });

  test('is refused while the source is being written to without snapshots', () => {
    smallHost()
      .after(keep('fedora:root', -1), start('fedora'))
      .when(start('work'))
      .thenRejected('D_SOURCE_INVALID', /being written to without snapshots/);
  });
});

describe('stop', () => {
  test('turns the old committed disk into a revision, then the session into the committed disk, and throws the rest away', () => {
    smallHost()
      .after(start('work'))
      .when(stop('work'))
      .thenPlan([
        'work: shut the domain down',
        expect.stringMatching(/^work:root: move session -> trash/),
        'work:private: move current -> revision 1',
        'work:private: move session -> current',
        expect.stringMatching(/^work:volatile: move scratch -> trash/),
      ])
      .thenCleanup([
        expect.stringMatching(/^work:root: erase trash/),
        expect.stringMatching(/^work:volatile: erase trash/),
      ]);
  });

  test('keeps as a revision the state from before the session, never the new data', () => {
    const story = smallHost();
    const before = story.volume('work:private').situation;
    story.after(start('work'), stop('work'));
    const [revision] = story.volume('work:private').revisions;
    expect(before.is === 'clean' && revision?.disk.id === before.current.id).toBe(true);
  });

  test('of a halted VM is no work', () => {
    smallHost().when(stop('work')).thenNothing();
  });

  test('with --discard throws every session away and leaves the committed disk alone', () => {
    smallHost()
      .after(start('work'))
      .when(stopDiscarding('work'))
      .thenPlan([
        'work: shut the domain down',
        expect.stringMatching(/^work:root: move session -> trash/),
        expect.stringMatching(/^work:private: move session -> trash/),
        expect.stringMatching(/^work:volatile: move scratch -> trash/),
      ]);
  });

  test('by kill keeps like a stop', () => {
    const story = smallHost().after(start('work'), kill('work'));
    expect(story.volume('work:private').revisions).toHaveLength(1);
  });

  test('of a volume without snapshots (-1) only renames the disk back', () => {
    smallHost()
      .after(keep('work:private', -1), start('work'))
      .when(stop('work'))
      .thenPlan([
        'work: shut the domain down',
        expect.stringContaining('work:root'),
        'work:private: move direct -> current',
        expect.stringContaining('work:volatile'),
      ]);
  });

  test('commits a (T,T) volume', () => {
    const story = smallHost().after(
      addVolume('work:both', { snapOnStart: true, source: 'fedora:root' }),
      start('work'),
    );
    const session = story.volume('work:both').situation;
    const after = story.after(stop('work')).volume('work:both').situation;
    expect(session.is === 'running' && after.is === 'clean' && after.current.id === session.session.disk.id).toBe(true);
  });

  test('throws the session of a read-only volume away: it cannot have changed (stock raises an assertion)', () => {
    const story = smallHost().after(setVolume('work:private', { rw: false }), start('work'), stop('work'));
    expect(story.volume('work:private').revisions).toEqual([]);
  });

  test('is refused while a disk of the VM is still open, and touches nothing', () => {
    const story = smallHost().after(start('work'));
    const { situation } = story.volume('work:volatile');
    story.open = situation.is === 'scratch' ? [situation.disk.id] : [];
    story.when(stop('work')).thenRejected('D_DEVICE_IN_USE', 'work:volatile is still open in another process');
  });
});

describe('commit and discard of a volume', () => {
  const dirty = () => smallHost().after(start('work'), recordReboot('boot-2'));

  test('commit keeps what a crash left', () => {
    dirty()
      .when(commit('work:private'))
      .thenPlan(['work:private: move current -> revision 1', 'work:private: move session -> current'])
      .thenFacts([{ type: 'SessionCommitted' }]);
  });

  test('discard throws it away, and the committed state stays', () => {
    dirty()
      .when(discard('work:private'))
      .thenPlan([expect.stringMatching(/^work:private: move session -> trash/)])
      .thenFacts([{ type: 'DiskTrashed', why: 'discarded' }, { type: 'SessionDiscarded' }]);
  });

  test('commit of a running volume keeps a snapshot of its session, which goes on', () => {
    const story = smallHost().after(start('work'));
    const before = story.volume('work:private').situation;
    story
      .when(commit('work:private'))
      .thenPlan([
        expect.stringMatching(/^work:private: snapshot session -> incoming/),
        'work:private: move current -> revision 1',
        expect.stringMatching(/^work:private: move incoming \d+ -> current/),
      ]);
    const after = story.after(commit('work:private')).volume('work:private').situation;
    expect(before.is === 'running' && after.is === 'running' && after.session.disk.id === before.session.disk.id).toBe(
      true,
    );
  });

  test('of a clean volume are no work', () => {
    smallHost().when(commit('work:private')).thenNothing();
    smallHost().when(discard('work:private')).thenNothing();
  });

  test('commit of a volume that is not kept is refused', () => {
    smallHost().after(start('work')).when(commit('work:root')).thenRejected('D_NOTHING_COMMITTED');
  });

  test('discard of a session in use is refused', () => {
    smallHost().after(start('work')).when(discard('work:private')).thenRejected('D_NOT_HALTED');
  });
});
