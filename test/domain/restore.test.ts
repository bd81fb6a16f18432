import { describe, expect, test } from 'vitest';
import type { Command } from '../../domain/decide.ts';
import type { RestoreVm } from '../../domain/restore/commands.ts';
import { smallHost } from './hosts.ts';

const MIB = 2 ** 20;
const SHA = 'ab'.repeat(32);
const image = (file: string, bytes = 5 * MIB) => ({ file, bytes, data: MIB, sha256: SHA });

const restore = (change: Partial<Record<keyof RestoreVm, unknown>> = {}): Command =>
  ({
    name: 'RestoreVM',
    payload: {
      name: 'back',
      class: 'AppVM',
      template: 'fedora',
      label: 'green',
      pool: null,
      pools: {},
      backup: { name: 'b.qbk', id: '20261122T184200-4242', was: 'old' },
      properties: { vcpus: '3' },
      features: { 'menu-items': 'xterm.desktop' },
      tags: ['mine'],
      images: { private: image('vm2/private.img') },
      rules: ['action=accept dst4=192.0.2.0/24', 'action=drop'],
      ...change,
    },
  }) as Command;

describe('restore of a VM', () => {
  test('makes each kept volume in the size it had, fills it beside its place, and moves it there', () => {
    smallHost()
      .when(restore())
      .thenPlan([
        expect.stringMatching(/^back:private: create incoming \d+, 5.0 MiB$/),
        expect.stringMatching(/^back:private: fill incoming \d+ from vm2\/private.img of b.qbk$/),
        expect.stringMatching(/^back:private: move incoming \d+ -> current$/),
        'back: write firewall.xml, 2 rules',
      ])
      .thenFacts([
        { type: 'VmCreated', properties: { label: 'green', vcpus: '3' }, tags: ['audiovm-dom0', 'guivm-dom0', 'mine'] },
        { type: 'VmRestored', was: 'old', backup: 'b.qbk' },
        { type: 'VolumeRestored', volume: 'back:private', sha256: SHA },
        { type: 'FirewallChanged', cause: 'restored' },
      ]);
  });

  test('gives it the notes it had', () => {
    expect(
      smallHost()
        .after(restore({ notes: 'rent\u0007' }))
        .vm('back').notes,
    ).toBe('rent_');
  });

  test('fills the volumes one after the other, because the backup is one stream', () => {
    const images = { root: image('vm1/root.img'), private: image('vm1/private.img') };
    const story = smallHost();
    const { decision } = story.accept(restore({ class: 'TemplateVM', template: null, images }));
    const lanes = decision.ok ? decision.value.plan.main.map(({ lane }) => lane) : [];
    expect(new Set(lanes).size).toBe(1);
  });

  test('keeps a volume that no class has by default, and an empty one where the backup has none', () => {
    smallHost()
      .when(restore({ images: { data: image('vm2/data.img') }, rules: null }))
      .thenPlan([
        expect.stringMatching(/^back:private: create current, 2.0 GiB$/),
        expect.stringMatching(/^back:data: create incoming/),
        expect.stringMatching(/^back:data: fill/),
        expect.stringMatching(/^back:data: move/),
      ]);
  });

  test('is refused for a name that is taken, a template, label or property that cannot be, and a volume that is not kept', () => {
    smallHost()
      .when(restore({ name: 'work' }))
      .thenRejected('D_EXISTS');
    smallHost()
      .when(restore({ template: 'nobody' }))
      .thenRejected('D_REFERENCE_INVALID');
    smallHost()
      .when(restore({ label: 'plaid' }))
      .thenRejected('D_NOT_FOUND');
    smallHost()
      .when(restore({ properties: { vcpus: 'many' } }))
      .thenRejected('D_PROPERTY_INVALID');
    smallHost()
      .when(restore({ images: { volatile: image('vm2/volatile.img') } }))
      .thenRejected('D_SPEC_INVALID');
    smallHost()
      .when(restore({ rules: ['action=maybe'] }))
      .thenRejected('D_FIREWALL_RULE_INVALID');
  });
});
