import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import { parseVmName, type VmName, type VolumeKey, type VolumeName, volumeKey } from '../names.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm } from '../vm/vm.ts';
import type { Revision, Volume } from './volume.ts';

export type Found = { readonly vm: Vm; readonly volume: Volume; readonly pool: Pool; readonly key: VolumeKey };

/** A name that no new VM gets may be there by adoption; where it is not, it is bad input. */
export const findVm = (host: Host, name: VmName): Result<Vm, Failure> => {
  const vm = host.vms.get(name);
  if (vm) return ok(vm);
  const parsed = parseVmName(name);
  return parsed.ok ? err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: 'domtrail vm list' })) : parsed;
};

export const findPool = (host: Host, name: string): Result<Pool, Failure> => {
  const pool = host.pools.get(name as Pool['name']);
  return pool ? ok(pool) : err(failure('D_NOT_FOUND', `there is no pool ${name}`, { next: 'domtrail pool list' }));
};

export const findVolume = (host: Host, name: VmName, volumeName: VolumeName): Result<Found, Failure> => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  const volume = vm.value.volumes[volumeName];
  if (!volume) {
    const next = `domtrail volume list ${name}`;
    return err(failure('D_NOT_FOUND', `VM ${name} has no volume ${volumeName}`, { next }));
  }
  const pool = findPool(host, volume.spec.pool);
  if (!pool.ok) return pool;
  return ok({ vm: vm.value, volume, pool: pool.value, key: volumeKey(name, volumeName) });
};

/** The revision with that id, or the newest one for null. */
export const findRevision = (volume: Volume, id: string | null): Result<Revision, Failure> => {
  const newestFirst = [...volume.revisions].sort((a, b) => b.number - a.number);
  const revision = id === null ? newestFirst[0] : newestFirst.find((one) => one.id === id);
  if (revision) return ok(revision);
  const { key } = volume.spec;
  const message = id === null ? `${key} has no revision` : `${key} has no revision ${id}`;
  return err(failure('D_NOT_FOUND', message, { next: `domtrail volume info ${key}` }));
};
