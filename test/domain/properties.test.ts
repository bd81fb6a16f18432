import { describe, expect, test } from 'vitest';
import { parsePayload } from '../../domain/command/parse.ts';
import {
  appVm,
  cloneVm,
  dispVm,
  removeVm,
  setFeature,
  setNotes,
  setProperty,
  setTag,
  standaloneVm,
  templateVm,
} from './commands.ts';
import { smallHost, wideHost } from './hosts.ts';

describe('notes of a VM', () => {
  test('are kept as text, with what nobody would see as stock has it', () => {
    const story = smallHost().after(setNotes('work', 'rent\t\n- paid\u0008\u00a0\u200b\u202e'));
    expect(story.vm('work').notes).toBe('rent\t\n- paid____');
  });

  test('are gone with an empty text, and the same ones again change nothing', () => {
    const story = smallHost().after(setNotes('work', 'rent'));
    story.when(setNotes('work', 'rent')).thenNothing();
    expect('notes' in story.after(setNotes('work', '')).vm('work')).toBe(false);
  });

  test('have the size that stock takes, counted in bytes of UTF-8', () => {
    const most = `${'\u00fc'.repeat(127_999)}ab`;
    expect(parsePayload('SetNotes', { vm: 'work', text: most }).ok).toBe(true);
    expect(parsePayload('SetNotes', { vm: 'work', text: `${most}c` }).ok).toBe(false);
  });

  test('are not for dom0, nor for a VM that is not there', () => {
    smallHost().when(setNotes('dom0', 'rent')).thenRejected('D_CLASS_REFUSES');
    smallHost().when(setNotes('nobody', 'rent')).thenRejected('D_NOT_FOUND');
  });
});

describe('a property of a VM', () => {
  const accepted: readonly (readonly [string, string, string])[] = [
    ['autostart', 'yes', 'True'],
    ['autostart', '0', 'False'],
    ['debug', 'TRUE', 'True'],
    ['memory', '400', '400'],
    ['maxmem', '0', '0'],
    ['vcpus', '02', '2'],
    ['mac', '00:16:3e:5e:6c:00', '00:16:3e:5e:6c:00'],
    ['virt_mode', 'pvh', 'pvh'],
    ['label', 'blue', 'blue'],
    ['kernel', '', ''],
    ['netvm', '', ''],
    ['keyboard_layout', 'de++', 'de++'],
  ];
  test.each(accepted)('%s takes %j and is stored as %j', (name, value, stored) => {
    const story = smallHost();
    const { decision } = story.when(setProperty('work', name, value));
    const facts = decision.ok ? decision.value.plan.facts : decision.error;
    expect(facts).toMatchObject([{ type: 'PropertySet', vm: 'work', name, value: stored }]);
  });

  test.each([
    ['autostart', 'maybe'],
    ['memory', '0'],
    ['memory', '-5'],
    ['memory', '1.5'],
    ['mac', '00:16:3E'],
    ['virt_mode', 'xen'],
    ['label', 'beige'],
    ['kernel', '../x'],
    ['kernel', '..'],
    ['default_user', 'a b'],
    ['keyboard_layout', 'de'],
    ['nonsense', '1'],
    ['qid', '7'],
    ['uuid', 'x'],
    ['auto_cleanup', 'True'],
  ])('%s does not take %j', (name, value) => {
    smallHost()
      .when(setProperty('work', name, value))
      .thenRejected('D_PROPERTY_INVALID');
  });

  test('set to what it is, is no work; set back to its default, remembers what it was', () => {
    const story = smallHost().after(setProperty('work', 'memory', '400'));
    story.when(setProperty('work', 'memory', '400')).thenNothing();
    story.when(setProperty('work', 'memory', null)).thenFacts([{ type: 'PropertySet', value: null, before: '400' }]);
    expect(story.after(setProperty('work', 'memory', null)).vm('work').properties['memory']).toBeUndefined();
  });

  test('of dom0 is one of the few that dom0 has', () => {
    smallHost()
      .when(setProperty('dom0', 'memory', '400'))
      .thenRejected('D_PROPERTY_INVALID');
    smallHost()
      .when(setProperty('dom0', 'label', 'red'))
      .thenFacts([{ type: 'PropertySet' }]);
  });
});

describe('a reference to a VM', () => {
  test('must exist, must be fit for it, and must not be the VM itself', () => {
    const story = wideHost();
    story.when(setProperty('work', 'netvm', 'sys-net')).thenRejected('D_REFERENCE_INVALID', 'there is no VM sys-net');
    story
      .when(setProperty('work', 'netvm', 'dvm'))
      .thenRejected('D_REFERENCE_INVALID', 'VM dvm does not provide network');
    story
      .when(setProperty('work', 'default_dispvm', 'fedora'))
      .thenRejected('D_REFERENCE_INVALID', 'is no template for disposables');
    story.after(setProperty('work', 'provides_network', 'True'));
    story.when(setProperty('work', 'netvm', 'work')).thenRejected('D_REFERENCE_INVALID', 'networks cannot form a loop');
  });

  test('keeps its VM from being removed, and says by what', () => {
    const story = smallHost().after(
      appVm('net', { template: 'fedora' }),
      setProperty('net', 'provides_network', 'True'),
      setProperty('work', 'netvm', 'net'),
    );
    story.when(removeVm('net')).thenRejected('D_IN_USE', 'netvm of work');
    story.when(setProperty(null, 'default_netvm', 'net')).thenRejected('D_REFERENCE_INVALID', 'net by default');
    story.after(
      setProperty('net', 'netvm', ''),
      setProperty('work', 'netvm', null),
      setProperty(null, 'default_netvm', 'net'),
    );
    story.when(removeVm('net')).thenRejected('D_IN_USE', 'global default_netvm');
  });

  test('that is in use cannot go bad', () => {
    const story = smallHost().after(
      appVm('net', { template: 'fedora' }),
      setProperty('net', 'provides_network', 'True'),
      setProperty('work', 'netvm', 'net'),
    );
    story
      .when(setProperty('net', 'provides_network', 'False'))
      .thenRejected('D_IN_USE', 'work gets its network from net');
    story.when(setProperty('net', 'netvm', 'work')).thenRejected('D_REFERENCE_INVALID');
  });
});

describe('global properties', () => {
  test('have their own list, and pools and VMs must exist', () => {
    const story = wideHost();
    story.when(setProperty(null, 'memory', '1')).thenRejected('D_PROPERTY_INVALID', 'memory is not a global property');
    story.when(setProperty(null, 'default_pool', 'nowhere')).thenRejected('D_NOT_FOUND');
    story
      .when(setProperty(null, 'default_template', 'work'))
      .thenRejected('D_REFERENCE_INVALID', 'VM work is no TemplateVM');
    story
      .when(setProperty(null, 'default_pool_private', 'files'))
      .thenFacts([{ type: 'GlobalPropertySet', before: null }]);
  });

  test('decide where new volumes go: per volume first, then the default pool', () => {
    const story = wideHost().after(setProperty(null, 'default_pool_private', 'files'), standaloneVm('alone'));
    expect(story.volume('alone:private').spec.pool).toBe('files');
    expect(story.volume('alone:root').spec.pool).toBe('lvm');
    expect(story.volume('alone:kernel').spec.pool).toBe('linux-kernel');
  });

  test('give an AppVM its template when it names none', () => {
    const story = smallHost().after(setProperty(null, 'default_template', 'fedora'), appVm('mail'));
    expect(story.vm('mail').properties['template']).toBe('fedora');
  });
});

describe('tags and features', () => {
  test('are set once and keep their order', () => {
    const story = smallHost().after(setTag('work', 'x', true), setFeature('work', 'f', '1'));
    story.when(setTag('work', 'x', true)).thenNothing();
    story.when(setTag('work', 'y', false)).thenNothing();
    story.when(setFeature('work', 'f', '1')).thenNothing();
    story.when(setFeature('work', 'f', null)).thenFacts([{ type: 'FeatureSet', before: '1', value: null }]);
    expect(story.vm('work').tags.at(-1)).toBe('x');
  });
});

describe('a new VM', () => {
  test('gets the lowest free qid, the uuid of its command, and, as a disposable, a number of four digits at most', () => {
    const story = wideHost();
    expect(['fedora', 'work', 'dvm', 'disp1'].map((name) => story.vm(name).properties['qid'])).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
    expect(Number(story.vm('disp1').properties['dispid'])).toBeLessThan(10_000);
    story.after(removeVm('work'), appVm('mail', { template: 'fedora' }));
    expect(story.vm('mail').properties['qid']).toBe('2');
    const uuids = [...story.host.vms.values()].map((vm) => vm.properties['uuid']);
    expect(new Set(uuids).size).toBe(uuids.length);
  });

  test('needs a name that is free, a label that exists, and a pool that exists', () => {
    smallHost().when(templateVm('work')).thenRejected('D_EXISTS');
    smallHost()
      .when(templateVm('debian', { label: 'beige' }))
      .thenRejected('D_NOT_FOUND', 'there is no label beige');
    smallHost()
      .when(templateVm('debian', { pool: 'nowhere' }))
      .thenRejected('D_NOT_FOUND', 'there is no pool nowhere');
  });

  test('by clone has everything of its source but its numbers', () => {
    const story = wideHost().after(
      setTag('work', 'x', true),
      setProperty('work', 'memory', '400'),
      cloneVm('work', 'copy'),
    );
    const [source, copy] = [story.vm('work'), story.vm('copy')];
    expect(copy.tags).toEqual(source.tags);
    expect(copy.properties).toMatchObject({ memory: '400', template: 'fedora', label: 'red' });
    expect(copy.properties['qid']).not.toBe(source.properties['qid']);
    expect(
      story.after(dispVm('disp2', { template: 'dvm' }), cloneVm('disp2', 'disp3')).vm('disp3').properties['dispid'],
    ).not.toBe(story.vm('disp2').properties['dispid']);
  });
});

describe('a payload', () => {
  test.each([
    ['an unknown field', 'StartVM', { name: 'work', force: true }],
    ['a missing field', 'StopVM', { name: 'work' }],
    ['a name for a terminal', 'StartVM', { name: 'x\u001b[2J' }],
    ['a bad name', 'CreateVM', { name: '../x' }],
    ['a size of half a byte', 'ResizeVolume', { vm: 'a', volume: 'b', bytes: 0.5, shrink: false }],
    ['a size beyond all disks', 'ResizeVolume', { vm: 'a', volume: 'b', bytes: 2 ** 60, shrink: false }],
    ['a relative path', 'ExportVolume', { vm: 'a', volume: 'b', to: { kind: 'file', path: 'x' } }],
    ['a control character', 'SetProperty', { vm: 'a', name: 'kernelopts', value: 'a\u0000b' }],
    ['a thousand and one revisions', 'SetVolume', { vm: 'a', volume: 'b', change: { revisionsToKeep: 1001 } }],
  ] as const)('with %s is not stored', (_, name, payload) => {
    expect(parsePayload(name, payload)).toMatchObject({ ok: false, error: { code: 'D_BAD_INPUT' } });
  });
});
