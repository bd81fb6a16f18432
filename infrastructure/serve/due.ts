import { firstExpiry } from '../../domain/firewall/firewall.ts';
import type { Firewall } from '../../domain/firewall/rule.ts';
import type { Host } from '../../domain/host/host.ts';
import { netvmOf, runs } from '../../domain/network/network.ts';

/** When each list has its first expiry. Lists never change, so each is read once, however often something happens. */
const READ = new WeakMap<Firewall, number | null>();

const expiryOf = (firewall: Firewall | null): number | null => {
  if (firewall === null) return null;
  let known = READ.get(firewall);
  if (known === undefined) {
    known = firstExpiry(firewall);
    READ.set(firewall, known);
  }
  return known;
};

/** `now`: a rule has expired and is still there. `next`: the epoch millisecond at which that will be so again. */
export type Expiries = { readonly now: boolean; readonly next: number | null };

/** `now` in epoch milliseconds. */
export const expiriesOf = (host: Host, now: number): Expiries => {
  const all = [...host.vms.values()].flatMap(({ firewall }) => expiryOf(firewall) ?? []);
  const later = all.filter((at) => at > now);
  return { now: later.length < all.length, next: later.length === 0 ? null : Math.min(...later) };
};

/** The VMs through which running VMs reach the network: those whose QubesDB holds rules. */
export const netvmsInUse = (host: Host): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const vm of host.vms.values()) {
    const netvm = runs(vm) ? netvmOf(host, vm) : null;
    if (netvm && runs(netvm)) names.add(netvm.name);
  }
  return names;
};
