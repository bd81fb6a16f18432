import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdName, reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { findVm } from '../volume/find.ts';
import { mustBeHalted } from '../volume/guards.ts';
import { checkSpec } from '../volume/spec-rules.ts';
import { vidOf } from '../volume/vid.ts';
import type { SetFeature, SetProperty, SetTag } from './commands.ts';
import { kernelOf } from './kernel.ts';
import { resolveSource } from './new-volumes.ts';
import { checkGlobalProperty, checkVmProperty } from './property-rules.ts';
import { checkTemplate } from './template-rules.ts';
import { type Vm, volumesOf } from './vm.ts';

const SITE = 'global properties';

const setGlobal = (host: Host, { name, value }: SetProperty, context: Context): Decision => {
  const checked = checkGlobalProperty(host, name, value);
  if (!checked.ok) return checked;
  const before = host.site?.properties[name] ?? null;
  const builder = planBuilder(context.position);
  if (before !== checked.value) builder.fact({ type: 'GlobalPropertySet', name, value: checked.value, before });
  return ok({ plan: builder.build(), holds: [holdName(SITE)] });
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

export const decideSetProperty = (host: Host, payload: SetProperty, context: Context): Decision => {
  if (payload.vm === null) return setGlobal(host, payload, context);
  const vm = findVm(host, payload.vm);
  if (!vm.ok) return vm;
  const { name } = payload;
  const checked = checkVmProperty(host, vm.value, name, payload.value);
  if (!checked.ok) return checked;
  const before = vm.value.properties[name] ?? null;
  const builder = planBuilder(context.position);
  if (before !== checked.value) {
    if (name === 'netvm' && checked.value === payload.vm) {
      return err(failure('D_REFERENCE_INVALID', `${payload.vm} cannot be its own netvm`));
    }
    builder.fact({ type: 'PropertySet', vm: payload.vm, name, value: checked.value, before });
    if (name === 'template' && checked.value) {
      const followed = followTemplate(host, vm.value, checked.value, builder);
      if (!followed.ok) return followed;
    }
  }
  return ok({ plan: builder.build(), holds: [name === 'template' ? holdName(payload.vm) : reading(payload.vm)] });
};

export const decideSetFeature = (host: Host, { vm, name, value }: SetFeature, context: Context): Decision => {
  const found = findVm(host, vm);
  if (!found.ok) return found;
  const before = found.value.features[name] ?? null;
  const builder = planBuilder(context.position);
  if (before !== value) builder.fact({ type: 'FeatureSet', vm, name, value, before });
  return ok({ plan: builder.build(), holds: [reading(vm)] });
};

export const decideSetTag = (host: Host, { vm, name, present }: SetTag, context: Context): Decision => {
  const found = findVm(host, vm);
  if (!found.ok) return found;
  const builder = planBuilder(context.position);
  if (found.value.tags.includes(name) !== present) builder.fact({ type: 'TagSet', vm, name, present });
  return ok({ plan: builder.build(), holds: [reading(vm)] });
};
