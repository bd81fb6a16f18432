import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../domain/decision.ts';
import * as to from '../commands.ts';
import type { Story } from '../given.ts';
import { smallHost } from '../hosts.ts';
import { goesBack, redo, undo, whenBack } from './past.ts';

const PRIVATE = 'work:private';
const session = [to.start('work'), to.stop('work')];

/** A host after some commands, and the position before them. */
const since = (story: Story, ...commands: readonly Parameters<Story['submit']>[0][]) => {
  const { position } = story.host;
  return { story: story.after(...commands), position };
};

const remarksOf = (decision: Decision): readonly string[] => (decision.ok ? (decision.value.remarks ?? []) : []);

describe('settings go straight back', () => {
  test('of a VM: properties, features, tags, devices and rules', () => {
    const device = { class: 'block', backend: 'fedora', id: 'sda', identity: '*', mode: 'required', options: [] };
    const { story, position } = since(
      smallHost(),
      to.setProperty('work', 'memory', '500'),
      to.setFeature('work', 'gui', '1'),
      to.setTag('work', 'mine', true),
      to.setDevice('work', device),
      to.setFirewall('work', ['action=drop']),
    );
    whenBack(story, position)
      .thenPlan(['work: remove firewall.xml'])
      .thenFacts([
        { type: 'PropertySet', name: 'memory', value: null, before: '500' },
        { type: 'FeatureSet', name: 'gui', value: null, before: '1' },
        { type: 'TagSet', name: 'mine', present: false },
        { type: 'DeviceUnassigned', class: 'block' },
        { type: 'FirewallChanged', after: null, cause: 'undone' },
      ]);
  });

  test('the order of features comes back with them', () => {
    const story = smallHost().after(to.setFeature('work', 'a', '1'), to.setFeature('work', 'b', '2'));
    const { position } = story.host;
    story.after(to.setFeature('work', 'a', null), to.setFeature('work', 'a', '1'));
    goesBack(story, position);
    expect(Object.keys(story.vm('work').features)).toEqual(['a', 'b']);
  });

  test('of the host: properties, labels, pools and their reserve', () => {
    const { story, position } = since(
      smallHost(),
      to.setProperty(null, 'default_kernel', '6.6'),
      to.setLabel('lime', '0x00ff00'),
      to.addPool(to.filePool('extra')),
      to.setReserve('lvm', { data: 9, metadata: 9 }),
    );
    whenBack(story, position).thenFacts([
      { type: 'GlobalPropertySet', name: 'default_kernel', value: null },
      { type: 'LabelRemoved', label: { name: 'lime' } },
      { type: 'PoolReserveSet', pool: 'lvm', reserve: null },
      { type: 'PoolRemoved', pool: 'extra' },
    ]);
  });

  test('nothing is decided about a log that has gone on since it was looked at', () => {
    const { story, position } = since(smallHost(), to.setProperty('work', 'memory', '500'));
    const { decision } = whenBack(story, position);
    expect(decision.ok).toBe(true);
    const payload = { kind: 'undo', operation: 'x', position, head: story.host.position - 1, only: null };
    story.when(to.restoreOperation(payload)).thenRejected('D_CANNOT_UNDO', /has gone on/);
  });
});

describe('the content of a volume', () => {
  test('a stop: the revision with the state before is copied, what is committed now is kept, nothing is retired', () => {
    const { story, position } = since(smallHost().after(...session), ...session);
    const back = whenBack(story, position);
    back
      .thenPlan([
        expect.stringMatching(/^work:private: snapshot revision 2 -> incoming/),
        'work:private: move current -> revision 3',
        expect.stringMatching(/^work:private: move incoming \d+ -> current/),
      ])
      .thenCleanup([]);
  });

  test('what a stop lost is said: the revision that retention let go', () => {
    const { story, position } = since(smallHost().after(...session), ...session);
    const { decision } = whenBack(story, position);
    expect(remarksOf(decision)).toEqual([expect.stringMatching(/^revision \d+-back of work:private is gone$/)]);
  });

  test('a state that retention let go is refused by name', () => {
    const story = smallHost().after(...session);
    const { position } = story.host;
    story.after(...session, ...session);
    whenBack(story, position).thenRejected('D_CANNOT_UNDO', /the state that work:private had is gone/);
  });

  test('under a running VM nothing is exchanged', () => {
    const { story, position } = since(smallHost(), ...session, to.start('work'));
    const { decision } = whenBack(story, position);
    expect(decision.ok ? null : decision.error).toMatchObject({ code: 'D_CANNOT_UNDO', next: 'domtrail vm stop work' });
  });

  test('a growth is cut off a copy, and all of it stays as a revision', () => {
    const { story, position } = since(smallHost(), to.resize(PRIVATE, 3 * 2 ** 30));
    const back = whenBack(story, position);
    back.thenPlan([
      expect.stringMatching(/^work:private: snapshot current/),
      expect.stringMatching(/^work:private: resize incoming \d+ to 2\.0 GiB/),
      'work:private: move current -> revision 1',
      expect.stringMatching(/^work:private: move incoming/),
    ]);
    expect(remarksOf(back.decision)).toEqual(['work:private is cut to 2.0 GiB; all of it stays as a revision']);
  });

  test('a second undo knows a copy for what it is a copy of, and exchanges nothing again', () => {
    const story = smallHost().after(...session, to.setTag('work', 'mine', true), to.revert(PRIVATE));
    undo(story);
    undo(story);
    expect(story.vm('work').tags).not.toContain('mine');
    expect(story.volume(PRIVATE).revisions.filter(({ number }) => number > 3)).toEqual([]);
  });

  test('a pin comes back, and so do volume settings', () => {
    const story = smallHost().after(...session);
    const [revision] = story.volume(PRIVATE).revisions;
    const { position } = story.host;
    story.after(to.pin(PRIVATE, revision?.id ?? ''), to.keep(PRIVATE, 5));
    whenBack(story, position).thenFacts([
      { type: 'VolumeChanged', change: { revisionsToKeep: 1 }, before: { revisionsToKeep: 5 } },
      { type: 'RevisionPinned', id: revision?.id, pinned: false },
    ]);
  });
});

describe('VMs that came and went', () => {
  test('a removal: each disk comes back from the trash to the name it had', () => {
    const { story, position } = since(smallHost().after(...session), to.removeVm('work'));
    const before = story.log.findLast(({ event }) => event.type === 'VmRemoved');
    expect(before).toBeDefined();
    whenBack(story, position).thenPlan([
      expect.stringMatching(/^work:private: move trash \d+ -> current/),
      expect.stringMatching(/^work:private: move trash \d+ -> revision 1/),
    ]);
    goesBack(story, position);
    expect(story.volume(PRIVATE)).toMatchObject({ situation: { is: 'clean' }, revisions: [{ number: 1 }] });
    expect(story.host.trash.size).toBe(0);
  });

  test('a removal whose disks gc erased is refused', () => {
    const { story, position } = since(smallHost(), to.removeVm('work'));
    story.after(to.collect(...story.host.trash.keys()));
    whenBack(story, position).thenRejected('D_CANNOT_UNDO', /of work:private is gone: gc has erased it/);
  });

  test('a creation: the VM goes, its disks wait in the trash, and redo brings the same VM back', () => {
    const story = smallHost().after(to.standaloneVm('alone'));
    const { uuid } = story.vm('alone').properties;
    undo(story);
    expect(story.host.vms.has('alone' as never)).toBe(false);
    expect([...story.host.trash.values()].map(({ from }) => from)).toEqual(['alone:root', 'alone:private']);
    redo(story);
    expect(story.vm('alone').properties['uuid']).toBe(uuid);
    expect(story.host.trash.size).toBe(0);
  });

  test('another VM of the same name is not written over', () => {
    const { story, position } = since(smallHost(), to.removeVm('work'), to.appVm('work', { template: 'fedora' }));
    whenBack(story, position).thenRejected('D_CANNOT_UNDO', 'there is another VM work now');
  });

  test('a number that another VM got meanwhile is not given twice', () => {
    const { story, position } = since(smallHost(), to.removeVm('work'), to.appVm('mail', { template: 'fedora' }));
    const qid = story.vm('mail').properties['qid'];
    const decision = goesBack(story, position, 'work');
    expect(story.vm('work').properties['qid']).not.toBe(qid);
    expect(remarksOf(decision)).toEqual([expect.stringContaining('gets the number')]);
  });

  test('a VM that something else refers to by now does not go', () => {
    const story = smallHost();
    const { position } = story.host;
    story.after(to.templateVm('debian'), to.setProperty(null, 'default_template', 'debian'));
    whenBack(story, position, 'debian').thenRejected('D_CANNOT_UNDO', /global default_template/);
    expect(goesBack(story, position).ok).toBe(true);
  });
});

describe('a VM that runs', () => {
  test('is neither started nor stopped: undoing a start is refused with what to type', () => {
    const { story, position } = since(smallHost(), to.start('work'));
    whenBack(story, position).thenRejected('D_CANNOT_UNDO', /work is running and goes on: domtrail vm stop work/);
  });

  test('a discarded session is gone, and that is said', () => {
    const story = smallHost().after(to.start('work'));
    const { position } = story.host;
    story.after(to.stopDiscarding('work'));
    whenBack(story, position).thenRejected('D_CANNOT_UNDO', /was running: it stays halted/);
  });
});

describe('--only', () => {
  test('leaves everything else as it is', () => {
    const { story, position } = since(
      smallHost(),
      to.setTag('work', 'mine', true),
      to.setTag('fedora', 'mine', true),
      to.setProperty(null, 'default_kernel', '6.6'),
    );
    whenBack(story, position, 'work').thenFacts([{ type: 'TagSet', vm: 'work' }]);
    whenBack(story, position, 'global').thenFacts([{ type: 'GlobalPropertySet' }]);
    whenBack(story, position, 'work:private').thenNothing();
    whenBack(story, position, 'nobody').thenRejected('D_NOT_FOUND');
  });
});
