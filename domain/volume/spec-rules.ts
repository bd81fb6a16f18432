import { type Failure, failure } from '../failure.ts';
import { type Host, volumeOf } from '../host/host.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import type { VolumeSpec } from './volume.ts';

const invalid = (message: string): Result<never, Failure> => err(failure('D_SPEC_INVALID', message));

/** VG and LV name together, with the longest suffix ours get, must fit LVM's 127 characters (spec: lvm 1). */
const LONGEST_SUFFIX = '-9007199254740991-trash-back'.length;

const vidRules = (spec: VolumeSpec, pool: Pool, host: Host): Result<null, Failure> => {
  if (pool.driver === 'lvm_thin' && spec.vid.length + LONGEST_SUFFIX > 126) {
    return invalid(`the LV name of ${spec.key} (${spec.vid}) is too long for LVM`);
  }
  if (pool.driver === 'linux-kernel') return ok(null);
  for (const vm of host.vms.values()) {
    for (const { spec: other } of Object.values(vm.volumes)) {
      if (other.pool === spec.pool && other.vid === spec.vid && other.key !== spec.key) {
        return invalid(`${spec.key} and ${other.key} would both be ${spec.vid} in pool ${spec.pool}`);
      }
    }
  }
  return ok(null);
};

const kernelRules = (spec: VolumeSpec): Result<null, Failure> => {
  if (spec.saveOnStop) return invalid('a linux-kernel pool does not support save_on_stop');
  if (spec.snapOnStart) return invalid('a linux-kernel pool does not support snap_on_start');
  if (spec.rw) return invalid('a linux-kernel pool supports only read-only volumes');
  if (spec.revisionsToKeep !== 0) return invalid('a linux-kernel pool keeps no revisions');
  return ok(null);
};

const sourceRules = (spec: VolumeSpec, host: Host): Result<null, Failure> => {
  if (spec.snapOnStart && !spec.source)
    return invalid(`snap_on_start specified on '${spec.name}' but no volume source set`);
  if (!spec.source) return ok(null);
  if (!spec.snapOnStart) return invalid(`source specified on '${spec.name}' but no snap_on_start set`);
  const source = volumeOf(host, spec.source);
  if (!source) return err(failure('D_NOT_FOUND', `the source ${spec.source} of ${spec.key} does not exist`));
  if (!source.spec.saveOnStop) {
    return err(failure('D_SOURCE_INVALID', `the source ${spec.source} of ${spec.key} keeps nothing to start from`));
  }
  if (source.spec.pool !== spec.pool) {
    const message = `Snapshot volume ${spec.name} must be in the same pool as its origin ${spec.source} (${source.spec.pool})`;
    return err(failure('D_SOURCE_INVALID', message));
  }
  return ok(null);
};

const ephemeralRules = (spec: VolumeSpec): Result<null, Failure> =>
  spec.ephemeral && (spec.snapOnStart || spec.saveOnStop || !spec.rw)
    ? invalid('Cannot enable ephemeral on snap_on_start or save_on_stop or non-dom0 or not writable volume')
    : ok(null);

/** The rules of spec: storage 1.3; the sentences are stock's where stock has one. */
export const checkSpec = (spec: VolumeSpec, pool: Pool, host: Host): Result<null, Failure> => {
  if (pool.driver === 'linux-kernel') return kernelRules(spec);
  if (!Number.isInteger(spec.revisionsToKeep) || spec.revisionsToKeep < -1) {
    return invalid('Invalid value for revisions_to_keep');
  }
  for (const check of [sourceRules(spec, host), ephemeralRules(spec), vidRules(spec, pool, host)]) {
    if (!check.ok) return check;
  }
  return ok(null);
};
