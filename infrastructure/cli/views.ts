import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { inDomainOrder } from '../../domain/vm/order.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import { CURRENT, DIRECT, placeOf, SCRATCH, SESSION } from '../../domain/volume/swap.ts';
import { bytesOf, currentOf, type Volume } from '../../domain/volume/volume.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { utcTime } from './text.ts';

export type DriverFor = (pool: Pool) => VolumeDriver;

export const vmItem = (vm: Vm) => ({
  name: vm.name,
  class: vm.class,
  state: vm.class === 'AdminVM' || vm.power.is === 'running' ? 'Running' : 'Halted',
  template: vm.properties['template'] ?? null,
  label: vm.properties['label'] ?? null,
});

export const sortedVms = (host: Host): readonly Vm[] => [...host.vms.values()].sort(inDomainOrder);

/** `importing` is no situation of its own: an unfinished import holds the volume. */
const stateOf = (host: Host, volume: Volume): 'clean' | 'running' | 'dirty' | 'importing' | 'absent' => {
  for (const operation of host.operations.values()) {
    if (operation.name === 'ImportVolume' && operation.holds.some(({ object }) => object === volume.spec.key))
      return 'importing';
  }
  const { is } = volume.situation;
  return is === 'scratch' || is === 'direct' ? 'running' : is;
};

const runtimeRole = (volume: Volume) => {
  switch (volume.situation.is) {
    case 'running':
      return SESSION;
    case 'scratch':
      return SCRATCH;
    case 'direct':
      return DIRECT;
    default:
      return null;
  }
};

/** What the VM gets to write to, or null while it is stopped. A kernel has its path always. */
export const runtimePath = (volume: Volume, driver: VolumeDriver): string | null => {
  const role = runtimeRole(volume);
  return role ? driver.pathOf(placeOf(volume, role)) : null;
};

export const volumeItem = (host: Host, vm: Vm, volume: Volume, driverFor: DriverFor) => {
  const { spec } = volume;
  const pool = host.pools.get(spec.pool);
  const driver = pool ? driverFor(pool) : null;
  const committed = spec.saveOnStop && currentOf(volume) && driver;
  const committedRole = volume.situation.is === 'direct' ? DIRECT : CURRENT;
  return {
    vm: vm.name,
    name: spec.name,
    pool: spec.pool,
    vid: spec.vid,
    size: bytesOf(volume),
    rw: spec.rw,
    snapOnStart: spec.snapOnStart,
    saveOnStop: spec.saveOnStop,
    revisionsToKeep: spec.revisionsToKeep,
    source: spec.source,
    ephemeral: spec.ephemeral,
    state: stateOf(host, volume),
    committedPath: committed ? committed.pathOf(placeOf(volume, committedRole)) : null,
    runtimePath: driver ? runtimePath(volume, driver) : null,
    outdated: isOutdated(host, volume),
    revisions: [...volume.revisions]
      .sort((a, b) => a.number - b.number)
      .map(({ id, position, at, pinned, disk }) => ({ id, position, time: utcTime(at * 1000), pinned, disk: disk.id })),
    disk: diskIdOf(volume),
  };
};

const diskIdOf = (volume: Volume): string | null => currentOf(volume)?.id ?? null;

/** A snapshot volume runs on an older state of its source than the committed one. */
const isOutdated = (host: Host, volume: Volume): boolean => {
  const { situation, spec } = volume;
  if (situation.is !== 'running' || !spec.snapOnStart || !spec.source) return false;
  const source = volumeOf(host, spec.source);
  return situation.session.origin !== (source ? (currentOf(source)?.id ?? null) : null);
};
