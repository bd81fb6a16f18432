import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { mustFit } from '../firewall/limits.ts';
import { parseRule } from '../firewall/parse.ts';
import { takeFirewall } from '../firewall/plan.ts';
import type { RuleLine } from '../firewall/rule.ts';
import { lineOf } from '../firewall/texts.ts';
import { holdName } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { parseVmName, type VmName } from '../names.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { inDomainOrder } from '../vm/order.ts';
import { type Vm, volumesOf } from '../vm/vm.ts';
import type { AdoptHost } from './commands.ts';
import { loadDocument } from './load.ts';

/** Adoption replaces what `init` made, and nothing that somebody made since. */
const mustBeFresh = (host: Host): Result<null, Failure> => {
  const own = [...host.vms.values()].find((vm) => vm.class !== 'AdminVM');
  const next = 'domtrail init --home DIR   (a home of its own)';
  if (own)
    return err(failure('D_EXISTS', `this home has VMs already (${own.name}); adopting would replace them`, { next }));
  const [operation] = host.operations.values();
  if (operation) {
    const { command, name } = operation;
    return err(failure('D_BUSY', `${name} is unfinished`, { holder: command, next: 'domtrail recover' }));
  }
  if (host.trash.size === 0) return ok(null);
  return err(failure('D_IN_USE', 'the pools of this home hold trash', { next: 'domtrail gc --all --yes' }));
};

const create = (vm: Vm, builder: PlanBuilder): void =>
  builder.fact({
    type: 'VmCreated',
    vm: vm.name,
    class: vm.class,
    properties: vm.properties,
    features: vm.features,
    ...(vm.featureOrder ? { featureOrder: vm.featureOrder } : {}),
    tags: vm.tags,
    ...(vm.devices ? { devices: vm.devices } : {}),
    volumes: volumesOf(vm).map(({ spec }) => spec),
    clonedFrom: null,
  });

/** Rules of a file that `vm` has. One with a name from which no path is built has its rules in the log only. */
const adoptFirewall = (
  vm: Vm | undefined,
  texts: readonly string[],
  builder: PlanBuilder,
  context: Context,
): Result<null, Failure> => {
  if (!vm || vm.class === 'AdminVM') return err(failure('D_NOT_FOUND', 'the document has no such VM with a network'));
  const rules: RuleLine[] = [];
  for (const text of texts) {
    const rule = parseRule(text);
    const fits = rule.ok ? mustFit(rule.value) : rule;
    if (!fits.ok) return fits;
    rules.push(lineOf(fits.value));
  }
  takeFirewall(builder, vm, rules, { now: context.now, filed: parseVmName(vm.name).ok });
  return ok(null);
};

/** A host's configuration, taken over from its qubes.xml: loaded by stock's rules, then told in events. Touches no storage. */
export const decideAdoptHost = (host: Host, { digest, document, firewalls }: AdoptHost, context: Context): Decision => {
  const fresh = mustBeFresh(host);
  if (!fresh.ok) return fresh;
  const loaded = loadDocument(document, context.uuid);
  if (!loaded.ok) return loaded;
  const { lost } = loaded.value;
  const builder = planBuilder(context.position);
  const { labels, properties } = loaded.value.host.site ?? { labels: [], properties: {} };
  builder.fact({ type: 'HostAdopted', labels, properties, digest, lost });
  for (const name of host.pools.keys()) builder.fact({ type: 'PoolRemoved', pool: name });
  for (const pool of loaded.value.host.pools.values())
    builder.fact({ type: 'PoolAdded', pool: pool.name, definition: pool });
  for (const name of host.vms.keys()) builder.fact({ type: 'VmRemoved', vm: name as VmName });
  for (const vm of [...loaded.value.host.vms.values()].sort(inDomainOrder)) create(vm, builder);
  for (const { vm, rules } of firewalls) {
    const filed = adoptFirewall(loaded.value.host.vms.get(vm), rules, builder, context);
    if (!filed.ok) return err({ ...filed.error, message: `firewall of ${vm}: ${filed.error.message}` });
  }
  const remarks = lost.map(({ object, what, why }) => `lost: ${object}: ${what}: ${why}`);
  return ok({
    plan: builder.build(),
    holds: [holdName('global properties')],
    ...(remarks.length > 0 ? { remarks } : {}),
  });
};
