import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { volumesOf } from '../vm/vm.ts';
import type { Volume } from '../volume/volume.ts';
import type { Breach, Invariant, Lying } from './invariant.ts';

type Found = Omit<Breach, 'recorded'>;

/** True while a command under way may change a VM or one of its volumes. */
const isHeld = ({ operations }: Host, name: VmName): boolean => {
  for (const { holds } of operations.values()) {
    for (const { object, mode } of holds) {
      if (mode === 'write' && (object === name || object.startsWith(`${name}:`))) return true;
    }
  }
  return false;
};

/** What is wrong with a VM's volumes as they are; `held` while a command is at them. A VM that is gone has none. */
export const checkResting = (
  host: Host,
  name: VmName,
  invariants: readonly Invariant[],
  lyingOf: (volume: Volume) => readonly Lying[] | null,
): readonly Found[] | 'held' => {
  const vm = host.vms.get(name);
  if (!vm) return [];
  if (isHeld(host, name)) return 'held';
  const found: Found[] = [];
  for (const volume of volumesOf(vm)) {
    const pool = host.pools.get(volume.spec.pool);
    if (!pool || pool.driver === 'linux-kernel') continue;
    const resting = { volume, vm, host, lying: lyingOf(volume) };
    for (const { name: invariant, rest } of invariants) {
      const says = rest?.(resting);
      if (says) found.push({ invariant, object: volume.spec.key, says });
    }
  }
  return found;
};
