import { type PoolName, type VmName, type VolumeKey, type VolumeName, volumeKey } from '../names.ts';
import type { Pool } from '../pool/pool.ts';
import { ok } from '../result.ts';
import { kernelOf } from '../vm/kernel.ts';
import { volumeOfSpec } from '../volume/evolve.ts';
import { vidOf } from '../volume/vid.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import { globalPool } from './default-pool.ts';
import { change, type Draft, type Loaded, type Loading, quoted, refuse, type VolumeConfig, vmOf } from './draft.ts';
import { type Built, type Job, onShelf, type Shelf, type Source } from './shelf.ts';
import { ephemeralOf, IGNORED, KNOWN, oddlyWritten, shapeOf } from './volume-shape.ts';
import { sourceOf } from './volume-source.ts';

const poolOf = ({ loading, where }: Job, config: VolumeConfig, name: string) => {
  const wished = config.get('pool') ?? globalPool(loading.host, name);
  const pool = wished === null ? undefined : loading.host.pools.get(wished as PoolName);
  return pool ? ok(pool) : refuse(where, `volume ${quoted(name)}: there is no pool ${quoted(wished)}`);
};

const vidFor = ({ loading, vm }: Job, pool: Pool, config: VolumeConfig, name: string): string => {
  const kernel = kernelOf(loading.host, vm.properties);
  if (pool.driver === 'linux-kernel') return kernel;
  return config.get('vid') ?? vidOf(pool, vm, name, kernel);
};

type Given = { readonly pool: Pool; readonly config: VolumeConfig; readonly source: Source | null };

const specOf = (job: Job, name: string, { pool, config, source }: Given) => {
  const where = `${job.where}, volume ${quoted(name)}`;
  const shape = shapeOf(where, pool, config, source);
  if (!shape.ok) return shape;
  const written = {
    ...(pool.driver === 'linux-kernel' ? {} : oddlyWritten(config)),
    ...(source && !source.built ? { source: source.vid } : {}),
  };
  return ok<VolumeSpec>({
    key: volumeKey(job.vm.name, name),
    name: name as VolumeName,
    pool: pool.name,
    vid: vidFor(job, pool, config, name),
    ...shape.value,
    source: (source?.built?.spec.key ?? null) as VolumeKey | null,
    ephemeral: pool.driver === 'linux-kernel' && config.has('ephemeral') ? false : ephemeralOf(config),
    ...(Object.keys(written).length > 0 ? { written } : {}),
  });
};

const buildVolume = (job: Job, name: string, given: VolumeConfig): Loaded => {
  const config = new Map(given);
  const source = sourceOf(job, config, name);
  if (!source.ok) return source;
  const pool = poolOf(job, config, name);
  if (!pool.ok) return pool;
  const known = new Set([...KNOWN, ...IGNORED[pool.value.driver]]);
  const unknown = [...config.keys()].find((one) => !known.has(one));
  if (unknown !== undefined) return refuse(job.where, `volume ${quoted(name)} has an attribute ${quoted(unknown)}`);
  const spec = specOf(job, name, { pool: pool.value, config, source: source.value });
  if (!spec.ok) return spec;
  const built: Built = { spec: spec.value, source: source.value };
  job.shelf.byVm.get(job.vm.name)?.set(name, built);
  job.shelf.byVid.set(onShelf(spec.value.pool, spec.value.vid), built);
  return ok(null);
};

/** Stage 5a: the volumes of a VM, those of its template first. */
export const loadVolumes = (loading: Loading, shelf: Shelf, draft: Draft): Loaded => {
  if (shelf.byVm.has(draft.name)) return ok(null);
  const vm = vmOf(loading, draft);
  shelf.byVm.set(draft.name, new Map());
  const job: Job = { loading, shelf, draft, vm, where: `VM ${quoted(draft.name)}` };
  for (const [name, config] of draft.volumes) {
    const template = loading.drafts.get((vm.properties['template'] ?? '') as VmName);
    if (template && config.has('source')) {
      const first = loadVolumes(loading, shelf, template);
      if (!first.ok) return first;
    }
    const built = buildVolume(job, name, config);
    if (!built.ok) return built;
  }
  return ok(null);
};

/** A source that was only an id when its volume was built may have become a volume since. */
const settled = (shelf: Shelf, { spec, source }: Built): VolumeSpec => {
  if (!source || source.built) return spec;
  const found = shelf.byVid.get(onShelf(spec.pool, source.vid));
  if (!found) return spec;
  const { source: _vid, ...written } = spec.written ?? {};
  const { written: _all, ...plain } = spec;
  return { ...plain, source: found.spec.key, ...(Object.keys(written).length > 0 ? { written } : {}) };
};

/** Puts the finished volumes into their VMs. */
export const shelveVolumes = (loading: Loading, shelf: Shelf): void => {
  for (const draft of loading.drafts.values()) {
    const built = [...(shelf.byVm.get(draft.name)?.entries() ?? [])];
    const volumes = Object.fromEntries(built.map(([name, one]) => [name, volumeOfSpec(settled(shelf, one))]));
    change(loading, draft, { volumes });
  }
};
