import type { Hold } from '../command/events.ts';
import type { Context } from '../decision.ts';
import type { Fact } from '../event.ts';
import { liveLines } from '../firewall/firewall.ts';
import type { Host } from '../host/host.ts';
import type { PlanBuilder } from '../plan-builder.ts';
import type { Deed } from '../steps.ts';
import type { Vm } from '../vm/vm.ts';
import { addressOf } from './addresses.ts';
import { holdRules, introduce } from './at-start.ts';
import { netvmOf, runs } from './network.ts';

/** Settings that can change which netvm a VM has, or which address it has there. */
const SETTINGS: ReadonlySet<string> = new Set(['netvm', 'default_netvm', 'ip', 'ip6', 'provides_network', 'ipv6']);

/** Where the rules of a VM lie: in whose QubesDB, under which addresses. */
const placesOf = (host: Host, vm: Vm): ReadonlySet<string> => {
  const netvm = netvmOf(host, vm);
  const addresses = [addressOf(host, vm, 4), addressOf(host, vm, 6)];
  return new Set(addresses.flatMap((address) => (netvm && address !== null ? [`${netvm.name} ${address}`] : [])));
};

/** What was published of a rule that has expired since is not what would be published now. */
const hasExpired = ({ firewall }: Vm, { now }: Context): boolean =>
  firewall !== null && liveLines(firewall.rules, now).length < firewall.rules.length;

/** A place that stays as it was has its rules already. */
const isNew = (deed: Deed, known: ReadonlySet<string>): boolean =>
  deed.do !== 'publishFirewall' || !known.has(`${deed.netvm} ${deed.address}`);

type Change = { readonly before: Host; readonly after: Host; readonly context: Context };

/** What the netvm of one VM is told; null where nothing about its place is new. */
const toldOf = (
  vm: Vm,
  { before, after, context }: Change,
): { deeds: readonly Deed[]; facts: readonly Fact[] } | null => {
  const netvm = netvmOf(after, vm);
  if (!netvm || !runs(vm) || !runs(netvm)) return null;
  const known = placesOf(before, before.vms.get(vm.name) ?? vm);
  if ([...placesOf(after, vm)].every((place) => known.has(place))) return null;
  const { deeds, facts } = introduce(after, vm, netvm, context);
  return { deeds: hasExpired(vm, context) ? deeds : deeds.filter((deed) => isNew(deed, known)), facts };
};

/**
 * After a change of settings, VMs that run may reach the network another way. Their new netvm is told of them, with their
 * rules as they are now, whatever it knew from an earlier time; what the old one has reaches nobody. What does not run is
 * told by its start. Adds to the plan and gives what it holds.
 */
export const planMoves = (builder: PlanBuilder, change: Change): readonly Hold[] => {
  const holds: Hold[] = [];
  for (const vm of change.after.vms.values()) {
    const told = toldOf(vm, change);
    if (!told) continue;
    for (const deed of told.deeds) builder.main(vm.name, deed);
    for (const fact of told.facts) builder.fact(fact);
    holds.push(holdRules(vm));
  }
  return holds;
};

/** The same after a change of one property or feature, which may have nothing to do with the network. */
export const planMovesBy = (setting: string, builder: PlanBuilder, change: Change): readonly Hold[] =>
  SETTINGS.has(setting) ? planMoves(builder, change) : [];
