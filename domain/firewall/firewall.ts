import type { VmName } from '../names.ts';
import type { Vm } from '../vm/vm.ts';
import type { FirewallFact } from './events.ts';
import { parseRule } from './parse.ts';
import { expiredFrom, type Firewall, isExpired, type Rule, type RuleLine } from './rule.ts';

/** What a VM without a firewall of its own has: everything may pass (spec: B.1). */
const DEFAULT_LINES: readonly RuleLine[] = ['action=accept' as RuleLine];

/** The lines in force, by number. */
export const linesOf = (firewall: Firewall | null): readonly RuleLine[] => firewall?.rules ?? DEFAULT_LINES;

/** The rule of a line in normal form. Throws on any other text: only `lineOf` makes these. */
const ruleOf = (line: RuleLine): Rule => {
  const rule = parseRule(line);
  if (!rule.ok) throw new Error(`the log holds a rule that cannot be: ${rule.error.message}`);
  return rule.value;
};

/** The rules in force, by number, with those that are expired still in their places. */
export const rulesOf = (firewall: Firewall | null): readonly Rule[] => linesOf(firewall).map(ruleOf);

/** The lines that have not expired. `now` in epoch milliseconds. */
export const liveLines = (lines: readonly RuleLine[], now: number): readonly RuleLine[] =>
  lines.filter((line) => !line.includes('expire=') || !isExpired(ruleOf(line), now));

/**
 * The epoch millisecond from which the first of its rules is expired, which may be past; null where none ever will be.
 */
export const firstExpiry = (firewall: Firewall | null): number | null =>
  (firewall?.rules ?? []).reduce<number | null>((first, line) => {
    const at = line.includes('expire=') ? expiredFrom(ruleOf(line)) : null;
    return at === null || (first !== null && first <= at) ? first : at;
  }, null);

/** The lines in firewall.xml as domtrail last wrote it; null when it never did. */
export const filedLines = (firewall: Firewall | null): readonly RuleLine[] | null =>
  firewall === null ? null : liveLines(firewall.rules, firewall.asOf);

/** Where a VM's firewall.xml lies, relative to the home (spec: B.1). */
export const firewallPath = ({
  name,
  class: vmClass,
}: {
  readonly name: VmName;
  readonly class: Vm['class'];
}): string => `${vmClass === 'TemplateVM' ? 'vm-templates' : 'appvms'}/${name}/firewall.xml`;

export const evolveFirewall = (vm: Vm, fact: FirewallFact): Vm => {
  switch (fact.type) {
    case 'FirewallChanged':
      return { ...vm, firewall: fact.after };
    case 'FirewallReloaded':
      return vm.firewall === null ? vm : { ...vm, firewall: { ...vm.firewall, asOf: fact.asOf } };
    case 'FirewallPublished':
      return { ...vm, published: { netvm: fact.netvm, asOf: fact.asOf } };
  }
};
