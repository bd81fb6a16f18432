import { firstExpiry } from '../../domain/firewall/firewall.ts';
import type { Firewall } from '../../domain/firewall/rule.ts';
import type { Host } from '../../domain/host/host.ts';
import { runs } from '../../domain/network/network.ts';

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

/** The VMs that have a QubesDB of their own now. */
export const runningVms = (host: Host): ReadonlySet<string> =>
  new Set([...host.vms.values()].flatMap((vm) => (vm.class !== 'AdminVM' && runs(vm) ? [vm.name] : [])));
