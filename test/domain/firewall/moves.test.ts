import { describe, expect, test } from 'vitest';
import { appVm, rewriteKeys, setFeature, setFirewall, setProperty, start, stop } from '../commands.ts';
import type { Story } from '../given.ts';
import { smallHost } from '../hosts.ts';
import { whenBack } from '../undo/past.ts';

/** `work` runs behind `net`; `other` runs too, and both provide network. */
const networked = (): Story =>
  smallHost().after(
    ...['net', 'other'].flatMap((name) => [
      appVm(name, { template: 'fedora' }),
      setProperty(name, 'netvm', ''),
      setProperty(name, 'provides_network', 'True'),
      start(name),
    ]),
    setProperty('work', 'netvm', 'net'),
    setFirewall('work', ['action=accept dst4=10.0.0.1', 'action=drop']),
    start('work'),
  );

describe('a running VM that reaches the network another way', () => {
  test('through another netvm: its rules lie there before the change counts', () => {
    const story = networked();
    story
      .when(setProperty('work', 'netvm', 'other'))
      .thenPlan(['work: write 4 keys into the QubesDB of other', 'work: publish 2 rules for 10.137.0.2 in other'])
      .thenFacts([
        { type: 'PropertySet', vm: 'work', name: 'netvm', value: 'other', before: 'net' },
        { type: 'FirewallPublished', vm: 'work', netvm: 'other', asOf: story.now },
      ]);
  });

  test('back through the first one: what that still has of an earlier time is replaced', () => {
    const story = networked().after(setProperty('work', 'netvm', 'other'), setFirewall('work', ['action=drop']));
    story
      .when(setProperty('work', 'netvm', 'net'))
      .thenPlan(['work: write 4 keys into the QubesDB of net', 'work: publish 1 rule for 10.137.0.2 in net']);
    expect(story.vm('work').published).toMatchObject({ netvm: 'other' });
  });

  test('back by an undo: the same', () => {
    const story = networked();
    const { position } = story.host;
    story.after(setProperty('work', 'netvm', 'other'));
    whenBack(story, position, 'work').thenPlan([
      'work: write 4 keys into the QubesDB of net',
      'work: publish 2 rules for 10.137.0.2 in net',
    ]);
  });

  test('by another default, when it has no netvm of its own', () => {
    const story = networked().after(setProperty(null, 'default_netvm', 'net'), setProperty('work', 'netvm', null));
    story
      .when(setProperty(null, 'default_netvm', 'other'))
      .thenPlan(['work: write 4 keys into the QubesDB of other', 'work: publish 2 rules for 10.137.0.2 in other']);
  });

  test('under another address', () => {
    networked()
      .when(setProperty('work', 'ip', '10.137.0.99'))
      .thenPlan(['work: write 4 keys into the QubesDB of net', 'work: publish 2 rules for 10.137.0.99 in net']);
  });

  test('with an IPv6 address too, because its netvm got one', () => {
    networked()
      .when(setFeature('net', 'ipv6', '1'))
      .thenPlan([
        'work: write 4 keys into the QubesDB of net',
        'work: publish 1 rule for fd09:24ef:4179::a89:2 in net',
      ]);
  });
});

describe('nobody is told', () => {
  test.each([
    ['of a VM that does not run: its start tells', (story: Story) => story.after(stop('work')), 'other'],
    ['when a VM has no netvm any more', (story: Story) => story, ''],
    ['when the new netvm does not run: its start tells', (story: Story) => story.after(stop('other')), 'other'],
  ])('%s', (_title, given, netvm) => {
    given(networked())
      .when(setProperty('work', 'netvm', netvm))
      .thenPlan([]);
  });

  test('when a setting has nothing to do with the network', () => {
    networked()
      .when(setProperty('work', 'memory', '600'))
      .thenPlan([]);
    networked()
      .when(setFeature('net', 'service.x', '1'))
      .thenPlan([]);
  });
});

describe('a QubesDB that forgot everything', () => {
  test("has it written again: the VM's own keys, and the rules of those it serves", () => {
    const story = networked();
    const { decision } = story.when(rewriteKeys('net'));
    const deeds = decision.ok ? decision.value.plan.main.map(({ deed }) => deed) : [];
    expect(deeds).toMatchObject([
      { do: 'writeKeys', vm: 'net', fresh: false },
      { do: 'publishFirewall', vm: 'work', netvm: 'net', address: '10.137.0.2', before: null, wake: true },
    ]);
    const [own] = deeds;
    const paths = own?.do === 'writeKeys' ? own.keys.map((key) => ('write' in key ? key.write : key.remove)) : [];
    for (const path of ['/name', '/connected-ips', '/mapped-ip/10.137.0.2/visible-ip']) expect(paths).toContain(path);
  });

  test('belongs to nobody when the VM does not run', () => {
    networked().after(stop('work')).when(rewriteKeys('work')).thenNothing();
  });
});
