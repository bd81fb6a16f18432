import { counted } from '../counted.ts';
import type { FirewallCause, FirewallFact } from './events.ts';
import { linesOf } from './firewall.ts';
import type { RuleLine } from './rule.ts';

/** What `a` has and `b` has not, counted: two equal rules and one leave one. */
const without = (a: readonly RuleLine[], b: readonly RuleLine[]): readonly RuleLine[] => {
  const counts = new Map<RuleLine, number>();
  for (const line of b) counts.set(line, (counts.get(line) ?? 0) + 1);
  return a.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
};

const DONE: Readonly<Record<FirewallCause, string>> = {
  set: 'firewall set',
  add: 'firewall rule added',
  remove: 'firewall rule removed',
  expired: 'firewall rule expired',
  adopted: 'firewall adopted',
  cloned: 'firewall copied',
  restored: 'firewall restored',
  undone: 'firewall as it was before',
};

/** Longer lists of differences are in `--json`. */
const MOST_SHOWN = 2;

/** A firewall event in one line: what was done, how many rules there are now, and which ones came and went when they are few. */
export const wordsOfFirewall = (fact: FirewallFact): string => {
  if (fact.type === 'FirewallPublished') return `${fact.vm}: firewall in force in ${fact.netvm}`;
  if (fact.type === 'FirewallReloaded') return `${fact.vm}: firewall brought out again`;
  const [before, after] = [linesOf(fact.before), linesOf(fact.after)];
  const changes = [
    ...without(before, after).map((line) => `- ${line}`),
    ...without(after, before).map((line) => `+ ${line}`),
  ];
  const shown = changes.length <= MOST_SHOWN ? changes : [];
  return `${fact.vm}: ${[DONE[fact.cause], counted(after.length, 'rule'), ...shown].join(', ')}`;
};
