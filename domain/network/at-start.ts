import type { Hold } from '../command/events.ts';
import type { Context } from '../decision.ts';
import type { Fact } from '../event.ts';
import { publishAfresh } from '../firewall/publication.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { fits, type KeyChange } from '../qubesdb/key-change.ts';
import { connectedKeys, mappedKeys } from '../qubesdb/network-keys.ts';
import { startKeys } from '../qubesdb/start-keys.ts';
import type { Deed } from '../steps.ts';
import type { Vm } from '../vm/vm.ts';
import { clientsOf, netvmOf, providesNetwork, runs } from './network.ts';

/** What a start tells QubesDB: the netvm before the VM runs, the VM itself and what it is to do for its clients after. */
type NetworkAtStart = {
  readonly before: readonly Deed[];
  readonly after: readonly Deed[];
  readonly facts: readonly Fact[];
  readonly holds: readonly Hold[];
};

const keysInto = (vm: Vm, keys: readonly KeyChange[]): Deed => ({
  do: 'writeKeys',
  vm: vm.name,
  fresh: false,
  keys: keys.filter(fits),
});

/** What the netvm of a running VM is told beside its rules; nothing where there is nobody to tell. */
export const introducing = (host: Host, client: Vm): readonly Deed[] => {
  const netvm = netvmOf(host, client);
  return netvm && runs(netvm) ? [keysInto(netvm, [...connectedKeys(host, netvm), ...mappedKeys(host, client)])] : [];
};

/** A netvm learns of a client: who may send, what to translate, and what to let through. */
export const introduce = (host: Host, client: Vm, netvm: Vm, context: Context) => {
  const { deeds, facts } = publishAfresh(host, client, netvm, context);
  return { deeds: [...introducing(host, client), ...deeds], facts };
};

/** The rules of a VM stay as they are until they are published. */
export const holdRules = ({ name }: Vm): Hold => reading(`${name}:firewall.xml`);

type Served = { readonly deeds: readonly Deed[]; readonly facts: readonly Fact[]; readonly holds: readonly Hold[] };

/** What a VM finds in its own QubesDB, and what it is to do for its running clients. `fresh`: it has just started. */
const serving = (host: Host, vm: Vm, context: Context, fresh: boolean): Served => {
  const around = { timezone: context.timezone ?? null, xidOf: () => null, now: context.now };
  const clients = providesNetwork(vm) ? clientsOf(host, vm).filter(runs) : [];
  const published = clients.map((client) => publishAfresh(host, client, vm, context));
  const forClients = providesNetwork(vm)
    ? [...connectedKeys(host, vm), ...clients.flatMap((client) => mappedKeys(host, client))].filter(fits)
    : [];
  const keys = [...startKeys(host, vm, around), ...forClients];
  return {
    deeds: [{ do: 'writeKeys', vm: vm.name, fresh, keys }, ...published.flatMap(({ deeds }) => deeds)],
    facts: published.flatMap(({ facts }) => facts),
    holds: clients.map(holdRules),
  };
};

/** The same for a VM that runs, and whose QubesDB forgot all of it. */
export const servingAgain = (host: Host, vm: Vm, context: Context): Served => serving(host, vm, context, false);

/**
 * A VM that starts is made known to its netvm first, so that no packet of it meets another's rules; a netvm that starts finds
 * the rules of all its running clients. What does not run is told nothing: its own start does that.
 */
export const networkAtStart = (host: Host, vm: Vm, context: Context): NetworkAtStart => {
  const netvm = netvmOf(host, vm);
  const known = netvm && runs(netvm) ? introduce(host, vm, netvm, context) : { deeds: [], facts: [] };
  const served = serving(host, vm, context, true);
  return {
    before: known.deeds,
    after: served.deeds,
    facts: [...known.facts, ...served.facts],
    holds: [...(netvm ? [holdRules(vm)] : []), ...served.holds],
  };
};
