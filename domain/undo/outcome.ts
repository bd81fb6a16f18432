import type { Fact, Recorded } from '../event.ts';
import { type Failure, failure } from '../failure.ts';
import { copyOfHost } from '../host/copy-host.ts';
import { evolve, type Host } from '../host/host.ts';
import { providesNetwork, netvmOf as reachedThrough } from '../network/network.ts';
import { bind, type Plan } from '../steps.ts';
import { connectedTo } from '../vm/network.ts';
import { danglingIn } from '../vm/references.ts';
import { volumesOf } from '../vm/vm.ts';

/** The state after a plan, with made-up identities for the disks it will have made. */
export const stateAfter = (host: Host, plan: Plan): Host => {
  const after = copyOfHost(host);
  const made = new Map(plan.main.map(({ n }) => [n, { id: `made-by-${n}` as never, bytes: 0 }]));
  for (const template of plan.facts) {
    const event = bind<Fact>(template, made);
    evolve(after, { position: host.position, stream: '', version: 0, command: '', time: 0, event } satisfies Recorded);
  }
  return after;
};

const poolless = (host: Host): readonly string[] => [
  ...[...host.vms.values()]
    .flatMap(volumesOf)
    .filter(({ spec }) => !host.pools.has(spec.pool))
    .map(({ spec }) => `pool ${spec.pool} of ${spec.key}`),
  ...[...host.trash.values()]
    .filter(({ place }) => !host.pools.has(place.pool))
    .map(({ place, from }) => `pool ${place.pool} of the trash of ${from}`),
];

const networks = (host: Host): readonly string[] =>
  [...host.vms.values()].flatMap((vm) => {
    const netvm = reachedThrough(host, vm);
    const loop = connectedTo(host, vm.name).has(vm.name) ? [`network loop of ${vm.name}`] : [];
    return netvm && !providesNetwork(netvm) ? [`netvm of ${vm.name}, which gives no network`, ...loop] : loop;
  });

const faultsOf = (host: Host): readonly string[] => [...danglingIn(host), ...poolless(host), ...networks(host)];

/** The refusal of a plan that would leave something pointing into nothing; what does so already is not its fault. */
export const mustStandAlone = (host: Host, plan: Plan): Failure | null => {
  const known = new Set(faultsOf(host));
  const [fault] = faultsOf(stateAfter(host, plan)).filter((one) => !known.has(one));
  if (fault === undefined) return null;
  return failure('D_CANNOT_UNDO', `afterwards something would be missing: ${fault}`, {
    next: 'domtrail op restore OP   (takes back everything since)',
  });
};
