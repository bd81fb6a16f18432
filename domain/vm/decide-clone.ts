import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { inheritFirewall } from '../firewall/plan.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { volumeKey } from '../names.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { copyInto, mustBeCopyable } from '../volume/decide-content.ts';
import { volumeOfSpec } from '../volume/evolve.ts';
import { findVm } from '../volume/find.ts';
import { checkSpec } from '../volume/spec-rules.ts';
import { CURRENT, placeOf } from '../volume/swap.ts';
import { vidOf } from '../volume/vid.ts';
import { currentOf, type VolumeSpec } from '../volume/volume.ts';
import type { CloneVm } from './commands.ts';
import { kernelOf } from './kernel.ts';
import { holdNew, identity, mustBeFree } from './new-vm.ts';
import { type Vm, volumesOf } from './vm.ts';

/** The volume of a clone: everything as in the source, but its own name and, for kept volumes, perhaps another pool. */
const cloneSpec = (
  host: Host,
  spec: VolumeSpec,
  clone: Pick<Vm, 'name' | 'class' | 'properties'>,
  wished: string | null,
) => {
  const own = spec.saveOnStop || !spec.snapOnStart;
  const pool =
    (own && wished && spec.name !== 'kernel' ? host.pools.get(wished as never) : host.pools.get(spec.pool)) ?? null;
  if (!pool) return err(failure('D_NOT_FOUND', `there is no pool ${wished ?? spec.pool}`));
  const vid = vidOf(pool, clone, spec.name, kernelOf(host, clone.properties));
  const next: VolumeSpec = { ...spec, key: volumeKey(clone.name, spec.name), pool: pool.name, vid };
  const valid = checkSpec(next, pool, host);
  return valid.ok ? ok(next) : valid;
};

type Building = { readonly host: Host; readonly builder: PlanBuilder; readonly context: Context };

const copyVolumes = (
  source: Vm,
  specs: readonly VolumeSpec[],
  { host, builder, context }: Building,
): Result<null, Failure> => {
  for (const spec of specs) {
    const from = source.volumes[spec.name];
    if (!from || !spec.saveOnStop || !currentOf(from)) continue;
    const pool = host.pools.get(from.spec.pool) as Pool;
    const found = { vm: source, volume: from, pool, key: from.spec.key };
    const copyable = mustBeCopyable(found);
    if (!copyable.ok) return copyable;
    const at = placeOf(volumeOfSpec(spec), CURRENT);
    const made = copyInto(found, { at, object: spec.key }, { builder, pool, context });
    builder.fact({ type: 'VolumeProvisioned', volume: spec.key, current: { madeBy: made } });
  }
  return ok(null);
};

/** Copies the committed state of every kept volume: never an uncommitted session, which would look like the newest data. */
export const decideCloneVm = (host: Host, payload: CloneVm, context: Context): Decision => {
  const source = findVm(host, payload.source);
  if (!source.ok) return source;
  if (source.value.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${payload.source} cannot be cloned`));
  const free = mustBeFree(host, payload.name);
  if (!free.ok) return free;
  const { dispid: _dispid, ...kept } = source.value.properties;
  const properties = { ...kept, ...identity(host, context, source.value.class) };
  const clone = { name: payload.name, class: source.value.class, properties };
  const specs: VolumeSpec[] = [];
  for (const volume of volumesOf(source.value)) {
    const spec = cloneSpec(host, volume.spec, clone, payload.pool);
    if (!spec.ok) return spec;
    specs.push(spec.value);
  }
  const builder = planBuilder(context.position);
  builder.fact({
    type: 'VmCreated',
    vm: payload.name,
    class: source.value.class,
    properties,
    features: source.value.features,
    ...(source.value.featureOrder ? { featureOrder: source.value.featureOrder } : {}),
    tags: source.value.tags,
    volumes: specs,
    clonedFrom: payload.source,
  });
  const copied = copyVolumes(source.value, specs, { host, builder, context });
  if (!copied.ok) return copied;
  inheritFirewall(builder, clone, source.value.firewall, context);
  const reads = [reading(payload.source), ...volumesOf(source.value).map((volume) => reading(volume.spec.key))];
  return ok({ plan: builder.build(), holds: [...holdNew(payload.name, specs), ...reads] });
};
