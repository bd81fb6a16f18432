import type { Failure } from '../failure.ts';
import type { PoolName, VmName } from '../names.ts';
import { ok, type Result } from '../result.ts';
import { quoted, refuse, type VolumeConfig } from './draft.ts';
import { type Job, onShelf, type Source } from './shelf.ts';

/** The volume of a template that a volume starts from: through volumes that have a source themselves to one that has none. */
const fromTemplate = (
  { loading, shelf, vm, where }: Job,
  config: VolumeConfig,
  name: string,
): Result<Source | null, Failure> => {
  let source: Source | null = null;
  let template = loading.host.vms.get((vm.properties['template'] ?? '') as VmName);
  while (template) {
    const built = shelf.byVm.get(template.name)?.get(name);
    if (!built) return refuse(where, `its template ${template.name} has no volume ${name}`);
    source = { vid: built.spec.vid, built };
    config.set('pool', built.spec.pool);
    config.set('size', `${built.spec.bytes}`);
    if (!built.source) break;
    template = loading.host.vms.get((template.properties['template'] ?? '') as VmName);
  }
  return ok(source);
};

export const sourceOf = (job: Job, config: VolumeConfig, name: string) => {
  if (!config.has('source')) return ok(null);
  const vid = config.get('source') ?? null;
  if (vid === null) return fromTemplate(job, config, name);
  const pool = config.get('pool');
  if (!pool) return refuse(job.where, `volume ${quoted(name)} has a source but no pool`);
  const built = job.shelf.byVid.get(onShelf(pool, vid)) ?? null;
  const driver = job.loading.host.pools.get(pool as PoolName)?.driver;
  if (!built && driver !== 'lvm_thin') {
    return refuse(job.where, `volume ${quoted(name)}: there is no source ${quoted(vid)} in pool ${quoted(pool)}`);
  }
  return ok<Source>({ vid, built });
};
