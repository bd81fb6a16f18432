import type { Context } from '../decision.ts';
import type { Fact } from '../event.ts';
import type { Host } from '../host/host.ts';
import { addressOf } from '../network/addresses.ts';
import { netvmOf, runs } from '../network/network.ts';
import type { Deed } from '../steps.ts';
import type { Vm } from '../vm/vm.ts';
import { type Entry, effectiveRules, entriesOf, sameEntries } from './entries.ts';
import { rulesOf } from './firewall.ts';
import type { Firewall, Rule } from './rule.ts';
import { type Family, sameEffect } from './texts.ts';

/** A change of a VM's rules: what was in force and what is to be. `over` anything: published whatever lies there now. */
export type Revision = {
  readonly before: Firewall | null;
  readonly after: Firewall | null;
  readonly over: 'ours' | 'oursElseLeave' | 'anything';
};

/** The deeds that bring rules to where the netvm reads them, and what holds once they are done. */
export type Publishing = { readonly deeds: readonly Deed[]; readonly facts: readonly Fact[] };

const NOTHING: Publishing = { deeds: [], facts: [] };

const FAMILIES: readonly Family[] = [4, 6];

/** A list and when it was read: what had expired by then is not in it. */
type Reading = { readonly rules: readonly Rule[]; readonly at: number };

type Wanted = { readonly was: Reading | null; readonly becomes: Reading; readonly family: Family };

const entriesAt = ({ rules, at }: Reading, family: Family): readonly Entry[] => entriesOf(rules, family, at);

const effectAt = ({ rules, at }: Reading, family: Family): readonly Rule[] => effectiveRules(rules, family, at);

const deedFor = (vm: Vm, netvm: Vm, address: string, { was, becomes, family }: Wanted): readonly Deed[] => {
  const before = was && entriesAt(was, family);
  const after = entriesAt(becomes, family);
  if (before && sameEntries(before, after)) return [];
  const wake = !was || !sameEffect(effectAt(was, family), effectAt(becomes, family), family, becomes.at);
  return [{ do: 'publishFirewall', vm: vm.name, netvm: netvm.name, address, before, after, wake }];
};

/** To this netvm, whether or not the log has anybody running yet; `was` null: whatever lies there now. */
const publishTo = (host: Host, vm: Vm, netvm: Vm, { was, becomes }: Omit<Wanted, 'family'>): Publishing => ({
  deeds: FAMILIES.flatMap((family) => {
    const address = addressOf(host, vm, family);
    return address === null ? [] : deedFor(vm, netvm, address, { was, becomes, family });
  }),
  facts: [{ type: 'FirewallPublished', vm: vm.name, netvm: netvm.name, asOf: becomes.at }],
});

/** Everything a VM has to have in a netvm that begins with nothing of it. */
export const publishAfresh = (host: Host, vm: Vm, netvm: Vm, { now }: Context): Publishing =>
  publishTo(host, vm, netvm, { was: null, becomes: { rules: rulesOf(vm.firewall), at: now } });

/** What a change of rules publishes, family 4 then 6: nothing while VM or netvm do not run, or where nothing is different. */
export const publications = (host: Host, vm: Vm, { before, after, over }: Revision, { now }: Context): Publishing => {
  const netvm = netvmOf(host, vm);
  if (!netvm || !runs(vm) || !runs(netvm)) return NOTHING;
  const known = over !== 'anything' && vm.published?.netvm === netvm.name ? vm.published.asOf : null;
  const was = known === null ? null : { rules: rulesOf(before), at: known };
  return publishTo(host, vm, netvm, { was, becomes: { rules: rulesOf(after), at: now } });
};
