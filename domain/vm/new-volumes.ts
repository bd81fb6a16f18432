import { type Failure, failure } from '../failure.ts';
import { type Host, volumeOf } from '../host/host.ts';
import { type PoolName, type VolumeName, volumeKey } from '../names.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { checkSpec } from '../volume/spec-rules.ts';
import { vidOf } from '../volume/vid.ts';
import type { Volume, VolumeSpec } from '../volume/volume.ts';
import { DEFAULT_VOLUME_NAMES, DEFAULT_VOLUMES, type VolumeShape } from './default-volumes.ts';
import { kernelOf } from './kernel.ts';
import { type Vm, type VmClass, volumesOf } from './vm.ts';

/** A VM that is about to exist. */
export type NewVm = {
  readonly name: Vm['name'];
  readonly class: VmClass;
  readonly template: Vm | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly pool: PoolName | null;
  readonly pools: Readonly<Record<string, PoolName>>;
  /** volumes besides those of its class and its template */
  readonly more?: readonly VolumeShape[];
};

/**
 * Where a snapshot volume starts from: the same volume of the template, and if that has a source itself, of the
 * template's template, up to a volume that is kept (spec: storage 1.4). A DispVM's root is the TemplateVM's.
 */
export const resolveSource = (host: Host, template: Vm | null, name: VolumeName): Volume | null => {
  let vm = template;
  for (let depth = 0; vm && depth < 8; depth++) {
    const volume: Volume | undefined = vm.volumes[name];
    if (!volume) return null;
    if (!volume.spec.snapOnStart) return volume;
    vm = host.vms.get((vm.properties['template'] ?? '') as Vm['name']) ?? null;
  }
  return null;
};

/** The pool of volumes nobody chose one for: the global default, else the one called `default`, else the first with disks. */
export const defaultPool = (host: Host): string | null => {
  const wished = host.site?.properties['default_pool'];
  if (wished) return wished;
  if (host.pools.has('default' as PoolName)) return 'default';
  for (const pool of host.pools.values()) if (pool.driver !== 'linux-kernel') return pool.name;
  return null;
};

type Wish = { readonly pool: string | null; readonly pools: Readonly<Record<string, string>> };

/** The name of the pool that a new volume goes to; null when none is set and none is there. */
export const poolNameFor = (host: Host, vm: Wish, volume: string): string | null =>
  vm.pools[volume] ??
  (volume === 'kernel' ? null : vm.pool) ??
  host.site?.properties[`default_pool_${volume}`] ??
  defaultPool(host);

const poolFor = (host: Host, vm: NewVm, shape: VolumeShape): Result<Pool, Failure> => {
  const name = poolNameFor(host, vm, shape.name);
  const pool = name ? host.pools.get(name as PoolName) : undefined;
  return pool
    ? ok(pool)
    : err(failure('D_NOT_FOUND', `there is no pool ${name ?? '(none set)'} for ${vm.name}:${shape.name}`));
};

const sourceOf = (host: Host, vm: NewVm, shape: VolumeShape): Volume | null =>
  shape.source ? (volumeOf(host, shape.source) ?? null) : resolveSource(host, vm.template, shape.name);

const specFrom = (host: Host, vm: NewVm, shape: VolumeShape): Result<VolumeSpec, Failure> => {
  const source = shape.snapOnStart ? sourceOf(host, vm, shape) : null;
  if (shape.snapOnStart && !source) {
    return err(failure('D_SOURCE_INVALID', `the template of ${vm.name} has no ${shape.name} to start from`));
  }
  const wished = vm.pools[shape.name];
  if (source && wished && wished !== source.spec.pool) {
    const message = `Snapshot volume ${shape.name} must be in the same pool as its origin ${source.spec.key} (${source.spec.pool})`;
    return err(failure('D_SOURCE_INVALID', message));
  }
  const pool = source ? ok(host.pools.get(source.spec.pool) as Pool) : poolFor(host, vm, shape);
  if (!pool.ok) return pool;
  const kernel = kernelOf(host, vm.properties);
  return ok({
    key: volumeKey(vm.name, shape.name),
    name: shape.name,
    pool: pool.value.name,
    vid: vidOf(pool.value, vm, shape.name, kernel),
    bytes: source ? source.spec.bytes : shape.bytes,
    rw: shape.rw,
    snapOnStart: shape.snapOnStart,
    saveOnStop: shape.saveOnStop,
    revisionsToKeep: pool.value.driver === 'linux-kernel' ? 0 : pool.value.revisionsToKeep,
    source: source?.spec.key ?? null,
    ephemeral: null,
  });
};

/** Extra volumes of the template come along to AppVMs and DispVMs, in the shape they have there. */
const inherited = (vm: NewVm): readonly VolumeShape[] => {
  if (!vm.template || (vm.class !== 'AppVM' && vm.class !== 'DispVM')) return [];
  return volumesOf(vm.template)
    .map(({ spec }) => spec)
    .filter(({ name }) => !DEFAULT_VOLUME_NAMES.has(name))
    .map(({ name, bytes, rw, snapOnStart, saveOnStop, source }) => ({
      name,
      bytes,
      rw,
      snapOnStart,
      saveOnStop,
      source,
    }));
};

/** The specs of all volumes of a new VM, class defaults first, checked. */
export const newVolumes = (host: Host, vm: NewVm): Result<readonly VolumeSpec[], Failure> => {
  const specs: VolumeSpec[] = [];
  const usual = [...DEFAULT_VOLUMES[vm.class], ...inherited(vm)];
  const more = (vm.more ?? []).filter(({ name }) => !usual.some((shape) => shape.name === name));
  for (const shape of [...usual, ...more]) {
    const spec = specFrom(host, vm, shape);
    if (!spec.ok) return spec;
    const pool = host.pools.get(spec.value.pool);
    const valid = pool
      ? checkSpec(spec.value, pool, host)
      : err(failure('D_NOT_FOUND', `there is no pool ${spec.value.pool}`));
    if (!valid.ok) return valid;
    specs.push(spec.value);
  }
  return ok(specs);
};
