import { roundUpToSector } from '../bytes.ts';
import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdVolume, reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { volumeKey } from '../names.ts';
import { planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok } from '../result.ts';
import { DEFAULT_VOLUME_NAMES } from '../vm/default-volumes.ts';
import { kernelOf } from '../vm/kernel.ts';
import { defaultPool } from '../vm/new-volumes.ts';
import { asideAll } from './aside.ts';
import type { AddVolume, PinRevision, SetVolume, VolumeTarget } from './commands.ts';
import { findPool, findRevision, findVm, findVolume } from './find.ts';
import { all, mustBeHalted, mustNotBeDirty } from './guards.ts';
import { provision } from './provision.ts';
import { checkSpec } from './spec-rules.ts';
import { vidOf } from './vid.ts';
import type { Volume, VolumeSpec } from './volume.ts';

type Around = { readonly vid: string; readonly pool: Pool; readonly source: Volume | null };

/** A volume that starts from another has that one's size. */
const addedSpec = (payload: AddVolume, { vid, pool, source }: Around): VolumeSpec => ({
  key: volumeKey(payload.vm, payload.volume),
  name: payload.volume,
  pool: pool.name,
  vid,
  bytes: source ? source.spec.bytes : roundUpToSector(payload.bytes),
  rw: payload.rw,
  snapOnStart: payload.snapOnStart,
  saveOnStop: payload.saveOnStop,
  revisionsToKeep: payload.revisionsToKeep ?? (pool.driver === 'linux-kernel' ? 0 : pool.revisionsToKeep),
  source: source?.spec.key ?? null,
  ephemeral: null,
});

export const decideAddVolume = (host: Host, payload: AddVolume, context: Context): Decision => {
  const vm = findVm(host, payload.vm);
  if (!vm.ok) return vm;
  const key = volumeKey(payload.vm, payload.volume);
  if (vm.value.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${payload.vm} has no volumes of ours`));
  if (vm.value.volumes[payload.volume])
    return err(failure('D_EXISTS', `VM ${payload.vm} has a volume ${payload.volume} already`));
  const halted = mustBeHalted(vm.value);
  if (!halted.ok) return halted;
  const source = payload.source ? findVolume(host, payload.source.vm, payload.source.volume) : null;
  if (source && !source.ok) return source;
  const poolName = payload.pool ?? source?.value.volume.spec.pool ?? defaultPool(host) ?? '(none set)';
  const pool = findPool(host, poolName);
  if (!pool.ok) return pool;
  const vid = vidOf(pool.value, vm.value, payload.volume, kernelOf(host, vm.value.properties));
  const spec = addedSpec(payload, { vid, pool: pool.value, source: source?.value.volume ?? null });
  const valid = checkSpec(spec, pool.value, host);
  if (!valid.ok) return valid;
  const builder = planBuilder(context.position);
  builder.fact({ type: 'VolumeAdded', volume: key, spec });
  const made = provision(spec, host, { builder, pool: pool.value, context });
  if (!made.ok) return made;
  const sourceHold = source ? [reading(source.value.key)] : [];
  return ok({ plan: builder.build(), holds: [...holdVolume(payload.vm, key), ...sourceHold] });
};

export const decideRemoveVolume = (host: Host, { vm, volume }: VolumeTarget, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const { key } = found.value;
  if (DEFAULT_VOLUME_NAMES.has(volume)) {
    return err(failure('D_CLASS_REFUSES', `${key} belongs to every ${found.value.vm.class} and goes only with its VM`));
  }
  const halted = mustBeHalted(found.value.vm);
  if (!halted.ok) return halted;
  const pinned = found.value.volume.revisions.find((revision) => revision.pinned);
  if (pinned) {
    const next = `domtrail volume unpin ${key} ${pinned.id}`;
    return err(failure('D_PINNED', `revision ${pinned.id} of ${key} is pinned`, { next }));
  }
  for (const other of host.vms.values()) {
    const user = Object.values(other.volumes).find((one) => one.spec.source === key);
    if (user) return err(failure('D_IN_USE', `${user.spec.key} starts from ${key}`));
  }
  const builder = planBuilder(context.position);
  asideAll(builder, found.value.volume);
  builder.fact({ type: 'VolumeRemoved', volume: key });
  return ok({ plan: builder.build(), holds: holdVolume(vm, key) });
};

export const decideSetVolume = (host: Host, { vm, volume, change }: SetVolume, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const { spec } = found.value.volume;
  const next: VolumeSpec = { ...spec, ...change };
  const valid = checkSpec(next, found.value.pool, host);
  if (!valid.ok) return valid;
  const builder = planBuilder(context.position);
  const holds = holdVolume(vm, found.value.key);
  if (
    'rw' in change ||
    ('revisionsToKeep' in change && (change.revisionsToKeep === -1) !== (spec.revisionsToKeep === -1))
  ) {
    // Switching snapshots off or on under a session would leave two disks that both claim to be newest.
    const quiet = all(mustBeHalted(found.value.vm), mustNotBeDirty(found.value.volume));
    if (!quiet.ok) return quiet;
  }
  const before =
    'rw' in change
      ? { rw: spec.rw }
      : 'ephemeral' in change
        ? { ephemeral: spec.ephemeral }
        : { revisionsToKeep: spec.revisionsToKeep };
  if (JSON.stringify(before) !== JSON.stringify(change)) {
    builder.fact({ type: 'VolumeChanged', volume: found.value.key, change, before });
  }
  return ok({ plan: builder.build(), holds });
};

const decidePinned =
  (pinned: boolean) =>
  (host: Host, { vm, volume, revision }: PinRevision, context: Context): Decision => {
    const found = findVolume(host, vm, volume);
    if (!found.ok) return found;
    const one = findRevision(found.value.volume, revision);
    if (!one.ok) return one;
    const builder = planBuilder(context.position);
    if (one.value.pinned !== pinned)
      builder.fact({ type: 'RevisionPinned', volume: found.value.key, id: revision, pinned });
    return ok({ plan: builder.build(), holds: holdVolume(vm, found.value.key) });
  };

/** A pinned revision neither counts for retention nor goes by it. */
export const decidePin = decidePinned(true);
export const decideUnpin = decidePinned(false);
