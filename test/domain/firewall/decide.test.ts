import { describe, expect, test } from 'vitest';
import { linesOf } from '../../../domain/firewall/firewall.ts';
import type { Deed } from '../../../domain/steps.ts';
import * as commands from '../commands.ts';
import { NEW_YEAR, type Story } from '../given.ts';
import { smallHost, wideHost } from '../hosts.ts';

const { addRule, cloneVm, dispVm, expireRules, reload, removeRule, removeVm, setFirewall, templateVm } = commands;

/** Ten seconds into the story's year. */
const SOON = `${NEW_YEAR / 1000 + 10}`;
const WEB = 'action=accept dsthost=example.com proto=tcp dstports=443-443';

const lines = (story: Story, vm = 'work'): readonly string[] => linesOf(story.vm(vm).firewall);

const filed = (story: Story, command: Parameters<Story['when']>[0]): Extract<Deed, { do: 'writeFirewall' }> => {
  const { decision } = story.when(command);
  if (!decision.ok) throw new Error(decision.error.message);
  const [deed] = decision.value.plan.main.flatMap((step) => (step.deed.do === 'writeFirewall' ? [step.deed] : []));
  if (!deed) throw new Error('no file is written');
  return deed;
};

describe('set', () => {
  test('replaces all rules, keeps both lists in the event, and writes the file of the VM', () => {
    const story = smallHost().after(setFirewall('work', [WEB]));
    story
      .when(setFirewall('work', ['dst4=10.0.0.1 action=drop', 'action=accept comment=rest']))
      .thenPlan(['work: write firewall.xml, 2 rules'])
      .thenCleanup([])
      .thenFacts([
        {
          type: 'FirewallChanged',
          vm: 'work',
          cause: 'set',
          before: { rules: [WEB] },
          after: { rules: ['action=drop dst4=10.0.0.1/32', 'action=accept comment=rest'], asOf: story.now },
        },
      ]);
    expect(filed(story, setFirewall('work', ['action=drop']))).toMatchObject({
      path: 'appvms/work/firewall.xml',
      before: [WEB],
      after: ['action=drop'],
      over: 'ours',
    });
  });

  test("a template's file lies among the templates", () => {
    expect(filed(smallHost(), setFirewall('fedora', ['action=drop'])).path).toBe('vm-templates/fedora/firewall.xml');
  });

  test('what was never set counts as one rule that accepts everything, without a file', () => {
    const story = smallHost();
    expect(lines(story)).toEqual(['action=accept']);
    expect(filed(story, setFirewall('work', ['action=accept']))).toMatchObject({
      before: null,
      after: ['action=accept'],
    });
  });

  test('the same rules again are nothing to do', () => {
    smallHost()
      .after(setFirewall('work', [WEB]))
      .when(setFirewall('work', ['proto=tcp action=accept dstports=443 dsthost=example.com']))
      .thenNothing();
  });

  test('a rule that has expired already keeps its number and is in no file', () => {
    const story = smallHost();
    const command = setFirewall('work', ['action=drop expire=1', WEB]);
    expect(filed(story, command).after).toEqual([WEB]);
    expect(lines(story.after(command))).toEqual(['action=drop expire=1', WEB]);
  });

  test.each([
    ['a rule that is none', ['action=accept', 'action=reject'], 'rule 1: action="reject": must be accept or drop'],
    ['an empty line', [''], 'rule 0: "": options stand one blank apart'],
    ['an empty host name', ['action=accept dsthost='], 'rule 0: dsthost="": a rule to keep needs a name or an address'],
  ])('%s changes nothing, and the log says why', (_what, rules, sentence) => {
    smallHost().when(setFirewall('work', rules)).thenRejected('D_FIREWALL_RULE_INVALID', sentence);
  });

  test('a rule longer than QubesDB holds is refused', () => {
    const rule = `action=accept dsthost=${'a'.repeat(3071)}`;
    smallHost()
      .when(setFirewall('work', [rule]))
      .thenRejected('D_FIREWALL_TOO_LARGE');
  });

  test('dom0 has no firewall, and a VM that is not there neither', () => {
    smallHost()
      .when(setFirewall('dom0', ['action=drop']))
      .thenRejected('D_CLASS_REFUSES');
    smallHost()
      .when(setFirewall('nobody', ['action=drop']))
      .thenRejected('D_NOT_FOUND');
  });

  test('two changes of one firewall exclude each other, changes of two VMs do not', () => {
    const story = wideHost();
    story.accept(setFirewall('work', [WEB]));
    story.when(addRule('work', 'action=drop')).thenRejected('D_BUSY');
    story.when(removeVm('work')).thenRejected('D_BUSY');
    story.when(setFirewall('fedora', ['action=drop'])).thenFacts([{ vm: 'fedora' }]);
  });
});

describe('add and remove', () => {
  const two = () => smallHost().after(setFirewall('work', [WEB, 'action=drop']));

  test.each([
    [null, [WEB, 'action=drop', 'action=accept proto=icmp']],
    [0, ['action=accept proto=icmp', WEB, 'action=drop']],
    [1, [WEB, 'action=accept proto=icmp', 'action=drop']],
    [2, [WEB, 'action=drop', 'action=accept proto=icmp']],
  ])('a rule goes in front of number %s', (before, after) => {
    expect(lines(two().after(addRule('work', 'proto=icmp action=accept', before)))).toEqual(after);
  });

  test('there is no rule to go in front of behind the end', () => {
    two()
      .when(addRule('work', 'action=drop', 3))
      .thenRejected('D_NOT_FOUND', 'work has no rule 3');
  });

  test('a rule goes by number, or by any spelling of its text', () => {
    expect(lines(two().after(removeRule('work', 0)))).toEqual(['action=drop']);
    const respelt = 'dsthost=example.com action=accept dstports=443 proto=tcp';
    expect(lines(two().after(removeRule('work', respelt)))).toEqual(['action=drop']);
  });

  test('of two equal rules the first goes', () => {
    const story = smallHost().after(setFirewall('work', ['action=drop', WEB, 'action=drop']));
    expect(lines(story.after(removeRule('work', 'action=drop')))).toEqual([WEB, 'action=drop']);
  });

  test('what is not there cannot go', () => {
    two().when(removeRule('work', 2)).thenRejected('D_NOT_FOUND', 'work has no rule 2');
    two().when(removeRule('work', 'action=accept')).thenRejected('D_NOT_FOUND', 'has no rule "action=accept"');
    two().when(removeRule('work', 'action=')).thenRejected('D_FIREWALL_RULE_INVALID');
  });

  test('the rule that was never set can go: then everything is dropped', () => {
    expect(lines(smallHost().after(removeRule('work', 0)))).toEqual([]);
  });

  test('a list with ten thousand rules takes no more', () => {
    const full = Array.from({ length: 10_000 }, (_, at) => `action=drop dst4=10.0.${at >> 8}.${at & 255}`);
    smallHost()
      .after(setFirewall('work', full))
      .when(addRule('work', 'action=drop'))
      .thenRejected('D_FIREWALL_TOO_LARGE');
  });
});

describe('expiry', () => {
  const temporary = () =>
    smallHost().after(setFirewall('work', [`action=accept expire=${SOON}`, WEB, `action=drop expire=${SOON}`]));

  test('before its time there is nothing to do, nor in its very second', () => {
    temporary().at(10).when(expireRules('work')).thenNothing();
  });

  test('afterwards every expired rule goes, with the cause in the event', () => {
    temporary()
      .at(10.001)
      .when(expireRules('work'))
      .thenPlan(['work: write firewall.xml, 1 rule, if it is still ours'])
      .thenFacts([{ type: 'FirewallChanged', cause: 'expired', after: { rules: [WEB] } }]);
  });

  test('the file that is to be replaced is the one as it was written, not as it would be written now', () => {
    expect(filed(temporary().at(60), expireRules('work')).before).toHaveLength(3);
  });

  test('rules that were expired when they were given go without touching the file', () => {
    smallHost()
      .after(setFirewall('work', ['action=drop expire=1', WEB]))
      .when(expireRules('work'))
      .thenPlan([])
      .thenFacts([{ cause: 'expired', after: { rules: [WEB] } }]);
  });
});

describe('reload', () => {
  test('writes the file again over whatever lies there; no rule changes', () => {
    const story = smallHost().after(setFirewall('work', [WEB]));
    story.when(reload('work')).thenFacts([{ type: 'FirewallReloaded', vm: 'work' }]);
    expect(filed(story, reload('work'))).toMatchObject({ before: [WEB], after: [WEB], over: 'anything' });
    expect(lines(story.after(reload('work')))).toEqual([WEB]);
  });

  test('of a VM without rules of its own sees to it that there is no file', () => {
    expect(filed(smallHost(), reload('work'))).toMatchObject({ before: null, after: null, over: 'anything' });
  });
});

describe('with its VM', () => {
  test('a clone gets the live rules of its source', () => {
    const story = smallHost().after(setFirewall('work', ['action=drop expire=1', WEB]), cloneVm('work', 'copy'));
    expect(story.vm('copy').firewall).toMatchObject({ rules: [WEB] });
  });

  test('a disposable gets those of its template, an AppVM does not', () => {
    const story = wideHost();
    const template = story.vm('disp1').properties['template'] ?? '';
    story.after(setFirewall(template, [WEB]), dispVm('disp7', { template }));
    expect(lines(story, 'disp7')).toEqual([WEB]);
    story.after(setFirewall('fedora', ['action=drop']), commands.appVm('plain', { template: 'fedora' }));
    expect(story.vm('plain').firewall).toBeNull();
  });

  test('the file goes when the VM goes, and comes back when the removal is taken back', () => {
    const story = smallHost().after(templateVm('old'), setFirewall('old', [WEB]));
    story.when(removeVm('old')).thenFacts([{}, {}, { type: 'VmRemoved' }]);
    expect(filed(story, removeVm('old'))).toMatchObject({ before: [WEB], after: null, over: 'anything' });
  });

  test('a VM without rules of its own has no file to take away', () => {
    expect(() => filed(smallHost().after(templateVm('old')), removeVm('old'))).toThrow('no file is written');
  });
});
