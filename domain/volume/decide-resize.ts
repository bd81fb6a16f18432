import { formatBytes, roundUpToSector } from '../bytes.ts';
import type { Context, Decision } from '../decision.ts';
import type { Disk, Role } from '../disk.ts';
import { failure } from '../failure.ts';
import { holdVolume } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import type { ResizeVolume } from './commands.ts';
import { type Found, findVolume } from './find.ts';
import { all, mustBeHalted, mustBeWritable, mustNotBeDirty } from './guards.ts';
import { CURRENT, DIRECT, type Planning, placeOf, SCRATCH, SESSION, swapIn } from './swap.ts';
import { bytesOf } from './volume.ts';

/** How much larger than asked for LVM may have made a disk: an extent is 4 MiB unless somebody chose otherwise. */
const ROUNDING = 32 * 2 ** 20;

type InUse = { readonly disk: Disk; readonly role: Role };

/** The disk that a resize has to reach now; null when only the wish changes. */
const diskInUse = ({ volume }: Found): InUse | null => {
  const { situation } = volume;
  switch (situation.is) {
    case 'clean':
      return { disk: situation.current, role: CURRENT };
    case 'direct':
      return { disk: situation.current, role: DIRECT };
    case 'running':
    case 'dirty':
      return { disk: situation.session.disk, role: SESSION };
    case 'scratch':
      return { disk: situation.disk, role: SCRATCH };
    case 'absent':
      return null;
  }
};

const grow = (found: Found, target: InUse, bytes: number, { builder }: Planning): void => {
  const at = placeOf(found.volume, target.role);
  const disk = { id: target.disk.id };
  const made = builder.main(found.key, { do: 'resize', disk, at, bytes, shrink: false });
  builder.fact({ type: 'VolumeResized', volume: found.key, bytes, disk: { madeBy: made }, kept: null });
};

/** Cuts a copy and keeps the uncut state as a revision: what lies beyond the new end is not lost. */
const shrink = (found: Found, current: Disk, bytes: number, planning: Planning): void => {
  const { builder } = planning;
  const { key, volume } = found;
  const at = placeOf(volume, { kind: 'incoming', position: builder.freshPosition() });
  const made = builder.main(key, { do: 'snapshot', of: { id: current.id }, from: placeOf(volume, CURRENT), at });
  const cut = builder.main(key, { do: 'resize', disk: { madeBy: made }, at, bytes, shrink: true });
  const kept = swapIn(volume, { ref: { madeBy: made }, from: at }, planning);
  builder.fact({ type: 'VolumeResized', volume: key, bytes, disk: { madeBy: cut }, kept });
};

export const decideResize = (host: Host, payload: ResizeVolume, context: Context): Decision => {
  const found = findVolume(host, payload.vm, payload.volume);
  if (!found.ok) return found;
  const { volume, key, pool, vm } = found.value;
  if (pool.driver === 'linux-kernel')
    return err(failure('D_DRIVER_REFUSES', `${key} is a kernel, which has no size to change`));
  const writable = mustBeWritable(volume);
  if (!writable.ok) return writable;
  const bytes = roundUpToSector(payload.bytes);
  const target = diskInUse(found.value);
  if (!target && volume.spec.snapOnStart) {
    const next = `domtrail volume resize ${volume.spec.source ?? key} ${payload.bytes}`;
    return err(
      failure('D_SOURCE_INVALID', `${key} is made from ${volume.spec.source} at each start: resize that`, { next }),
    );
  }
  const planning = { builder: planBuilder(context.position), pool, context };
  const holds = holdVolume(payload.vm, key);
  const size = bytesOf(volume);
  if (!target) {
    if (size !== bytes) planning.builder.fact({ type: 'VolumeResized', volume: key, bytes, disk: null, kept: null });
    return ok({ plan: planning.builder.build(), holds });
  }
  if (bytes > size) grow(found.value, target, bytes, planning);
  const roundedUp = pool.driver === 'lvm_thin' && bytes === volume.spec.bytes && size - bytes < ROUNDING;
  if (bytes >= size || roundedUp) return ok({ plan: planning.builder.build(), holds });
  if (!payload.shrink) {
    const message = `${key} has ${formatBytes(size)}: a smaller size cuts off what lies beyond it`;
    return err(failure('D_SHRINK', message, { next: `domtrail volume resize ${key} ${payload.bytes} --shrink` }));
  }
  const quiet = all(mustBeHalted(vm), mustNotBeDirty(volume));
  if (!quiet.ok) return quiet;
  shrink(found.value, target.disk, bytes, planning);
  return ok({ plan: planning.builder.build(), holds });
};
