import type { Hold } from '../command/events.ts';
import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdName, reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planMovesBy } from '../network/moves.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { findVm } from '../volume/find.ts';
import { mustBeHalted } from '../volume/guards.ts';
import { checkSpec } from '../volume/spec-rules.ts';
import { vidOf } from '../volume/vid.ts';
import type { SetFeature, SetNotes, SetProperty, SetTag } from './commands.ts';
import { effective, KEEPERS, keeperOf, tagsWithKeeper } from './keepers.ts';
import { kernelOf } from './kernel.ts';
import { connectedTo, netvmOf } from './network.ts';
import { resolveSource } from './new-volumes.ts';
import { plainNotes } from './notes.ts';
import { checkGlobalProperty, checkVmProperty } from './property-rules.ts';
import { vmProperty } from './property-table.ts';
import { checkTemplate } from './template-rules.ts';
import { type Vm, volumesOf } from './vm.ts';

const SITE = 'global properties';

const noLoop = (what: string): Failure => failure('D_REFERENCE_INVALID', `${what}: networks cannot form a loop`);

/** The first VM that would get its network from itself under another default. */
const loopByDefault = (host: Host, netvm: string | null): Failure | null => {
  const bound = [...host.vms.values()].filter((vm) => vmProperty(vm.class, 'netvm') && vm.class !== 'TemplateVM');
  for (const vm of bound.filter((one) => one.properties['netvm'] === undefined)) {
    if (netvm === vm.name || (netvm && connectedTo(host, vm.name).has(netvm))) return noLoop(`${vm.name} by default`);
  }
  return null;
};

/** Brings a VM's tags in line with who keeps it now. */
const retag = (vm: Vm, property: string, keeper: string | null, builder: PlanBuilder): void => {
  const next = tagsWithKeeper(vm.tags, property, keeper);
  for (const name of vm.tags.filter((tag) => !next.includes(tag))) {
    builder.fact({ type: 'TagSet', vm: vm.name, name, present: false });
  }
  for (const name of next.filter((tag) => !vm.tags.includes(tag))) {
    builder.fact({ type: 'TagSet', vm: vm.name, name, present: true });
  }
};

const retagAll = (host: Host, global: string, value: string | null, builder: PlanBuilder): void => {
  const keeper = KEEPERS.find((one) => one.global === global);
  if (!keeper) return;
  for (const vm of host.vms.values()) {
    if (vm.properties[keeper.property] !== undefined || !vmProperty(vm.class, keeper.property)) continue;
    retag(vm, keeper.property, effective(vm, keeper.property, value ?? 'dom0'), builder);
  }
};

/** What must be right among several VMs, besides the value itself. */
const mustFitOthers = (host: Host, vm: Vm, name: string, value: string | null): Result<null, Failure> => {
  const netvm = value ?? (vm.class === 'TemplateVM' ? '' : (host.site?.properties['default_netvm'] ?? ''));
  if (name === 'netvm' && netvm && (netvm === vm.name || connectedTo(host, vm.name).has(netvm))) {
    return err(noLoop(`netvm ${netvm} of ${vm.name}`));
  }
  const client = [...host.vms.values()].find((one) => netvmOf(host, one) === vm.name);
  if (name === 'provides_network' && value !== 'True' && client) {
    const next = `domtrail vm prefs ${client.name} netvm ''`;
    return err(failure('D_IN_USE', `${client.name} gets its network from ${vm.name}`, { next }));
  }
  return ok(null);
};

/** The host as it will be with one setting of a VM changed. */
const withVm = (host: Host, vm: Vm): Host => ({ ...host, vms: new Map(host.vms).set(vm.name, vm) });

/** Properties or features with one of them set, or gone. */
const having = (
  all: Readonly<Record<string, string>>,
  name: string,
  value: string | null,
): Readonly<Record<string, string>> => {
  const { [name]: _before, ...rest } = all;
  return value === null ? rest : { ...rest, [name]: value };
};

const setGlobal = (host: Host, { name, value }: SetProperty, context: Context): Decision => {
  const checked = checkGlobalProperty(host, name, value);
  if (!checked.ok) return checked;
  const before = host.site?.properties[name] ?? null;
  const builder = planBuilder(context.position);
  if (before !== checked.value) {
    const loop = name === 'default_netvm' ? loopByDefault(host, checked.value) : null;
    if (loop) return err(loop);
    builder.fact({ type: 'GlobalPropertySet', name, value: checked.value, before });
    retagAll(host, name, checked.value, builder);
  }
  const site = host.site && { ...host.site, properties: having(host.site.properties, name, checked.value) };
  const moved = planMovesBy(name, builder, { before: host, after: { ...host, site }, context });
  return ok({ plan: builder.build(), holds: [holdName(SITE), ...moved] });
};

/** After a change of template every volume made at start follows it: source, pool and size. */
const resource = (host: Host, vm: Vm, template: Vm, builder: PlanBuilder): Result<null, Failure> => {
  for (const volume of volumesOf(vm)) {
    if (!volume.spec.snapOnStart || volume.spec.saveOnStop) continue;
    const source = resolveSource(host, template, volume.spec.name);
    if (!source) {
      return err(
        failure('D_SOURCE_INVALID', `${template.name} has no ${volume.spec.name} for ${volume.spec.key} to start from`),
      );
    }
    const pool = host.pools.get(source.spec.pool) as Pool;
    const vid = vidOf(pool, vm, volume.spec.name, kernelOf(host, vm.properties));
    const spec = { ...volume.spec, pool: pool.name, vid, source: source.spec.key, bytes: source.spec.bytes };
    const valid = checkSpec(spec, pool, host);
    if (!valid.ok) return valid;
    builder.fact({ type: 'VolumeResourced', volume: spec.key, spec });
  }
  return ok(null);
};

const followTemplate = (host: Host, vm: Vm, name: string, builder: PlanBuilder): Result<null, Failure> => {
  const template = checkTemplate(host, vm.class, name);
  if (!template.ok) return template;
  const halted = mustBeHalted(vm);
  if (!halted.ok) return halted;
  return template.value ? resource(host, vm, template.value, builder) : ok(null);
};

/** The property, and what follows from it: the VM's tags, and its volumes when they start from another template. */
const setOn = (host: Host, vm: Vm, name: string, value: string | null) => {
  const before = vm.properties[name] ?? null;
  const next = { ...vm, properties: having(vm.properties, name, value) };
  const keeper = KEEPERS.find((one) => one.property === name);
  return (builder: PlanBuilder, context: Context): Result<readonly Hold[], Failure> => {
    builder.fact({ type: 'PropertySet', vm: vm.name, name, value, before });
    if (keeper) retag(vm, name, keeperOf(host, next, keeper), builder);
    if (name !== 'template' || !value) {
      return ok(planMovesBy(name, builder, { before: host, after: withVm(host, next), context }));
    }
    const followed = followTemplate(host, vm, value, builder);
    return followed.ok ? ok([]) : followed;
  };
};

export const decideSetProperty = (host: Host, payload: SetProperty, context: Context): Decision => {
  if (payload.vm === null) return setGlobal(host, payload, context);
  const vm = findVm(host, payload.vm);
  if (!vm.ok) return vm;
  const { name } = payload;
  const checked = checkVmProperty(host, vm.value, name, payload.value);
  if (!checked.ok) return checked;
  const builder = planBuilder(context.position);
  const holds = [name === 'template' ? holdName(payload.vm) : reading(payload.vm)];
  if ((vm.value.properties[name] ?? null) === checked.value) return ok({ plan: builder.build(), holds });
  const fits = mustFitOthers(host, vm.value, name, checked.value);
  if (!fits.ok) return fits;
  const set = setOn(host, vm.value, name, checked.value)(builder, context);
  return set.ok ? ok({ plan: builder.build(), holds: [...holds, ...set.value] }) : set;
};

export const decideSetFeature = (host: Host, { vm, name, value }: SetFeature, context: Context): Decision => {
  const found = findVm(host, vm);
  if (!found.ok) return found;
  const before = Object.hasOwn(found.value.features, name) ? (found.value.features[name] ?? null) : null;
  if (before === null && value !== null && !/^[A-Za-z0-9_.:/+-]+$/.test(name)) {
    return err(failure('D_PROPERTY_INVALID', 'the name of a feature has letters, digits, "_", "." and "-"'));
  }
  const builder = planBuilder(context.position);
  if (before === value) return ok({ plan: builder.build(), holds: [reading(vm)] });
  builder.fact({ type: 'FeatureSet', vm, name, value, before });
  const after = withVm(host, { ...found.value, features: having(found.value.features, name, value) });
  const moved = planMovesBy(name, builder, { before: host, after, context });
  return ok({ plan: builder.build(), holds: [reading(vm), ...moved] });
};

export const decideSetNotes = (host: Host, { vm, text }: SetNotes, context: Context): Decision => {
  const found = findVm(host, vm);
  if (!found.ok) return found;
  if (found.value.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${vm} has no notes`));
  const builder = planBuilder(context.position);
  const notes = plainNotes(text) || null;
  if (notes !== (found.value.notes ?? null)) builder.fact({ type: 'NotesSet', vm, text: notes });
  return ok({ plan: builder.build(), holds: [reading(vm)] });
};

export const decideSetTag = (host: Host, { vm, name, present }: SetTag, context: Context): Decision => {
  const found = findVm(host, vm);
  if (!found.ok) return found;
  const builder = planBuilder(context.position);
  if (found.value.tags.includes(name) !== present) builder.fact({ type: 'TagSet', vm, name, present });
  return ok({ plan: builder.build(), holds: [reading(vm)] });
};
