import type { Failure } from '../failure.ts';
import { failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import { volumeOf } from '../host/host.ts';
import { err, ok, type Result } from '../result.ts';
import { volumeOfSpec } from './evolve.ts';
import { CURRENT, type Planning, placeOf } from './swap.ts';
import { currentOf, type VolumeSpec } from './volume.ts';

/**
 * What a new volume needs on disk (spec: storage 1.5, create): an empty disk when it is kept at stop; a copy of its
 * source when it is kept and starts from one; nothing otherwise, because then it is made at each start.
 */
export const provision = (spec: VolumeSpec, host: Host, { builder, pool }: Planning): Result<null, Failure> => {
  if (!spec.saveOnStop || pool.driver === 'linux-kernel') return ok(null);
  const at = placeOf(volumeOfSpec(spec), CURRENT);
  if (!spec.snapOnStart) {
    const made = builder.main(spec.key, { do: 'create', at, bytes: spec.bytes });
    builder.fact({ type: 'VolumeProvisioned', volume: spec.key, current: { madeBy: made } });
    return ok(null);
  }
  const source = spec.source ? volumeOf(host, spec.source) : undefined;
  const disk = source ? currentOf(source) : null;
  if (!source || !disk) return err(failure('D_SOURCE_INVALID', `the source of ${spec.key} has no committed disk`));
  const made = builder.main(spec.key, { do: 'snapshot', of: { id: disk.id }, from: placeOf(source, CURRENT), at });
  builder.fact({ type: 'VolumeProvisioned', volume: spec.key, current: { madeBy: made } });
  return ok(null);
};
