import type { Context } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import { err, ok, type Result } from '../result.ts';
import { type Vm, volumesOf } from '../vm/vm.ts';
import type { Volume } from '../volume/volume.ts';
import type { DriftTarget } from './commands.ts';
import { type DiskDifference, type ListedDifference, nameOf, objectOf, type UnknownDisk } from './difference.ts';

/** Whether a difference is what somebody named: its own name, its volume or its VM. */
const isMeant = (difference: DiskDifference, name: string): boolean => {
  const object = objectOf(difference);
  return nameOf(difference) === name || object === name || (object?.startsWith(`${name}:`) ?? false);
};

export type Owner = { readonly vm: Vm; readonly volume: Volume };

/** The volume of that key and its VM, whatever they are called. */
export const ownerNamed = (host: Host, key: string): Owner | null => {
  for (const vm of host.vms.values()) {
    const volume = volumesOf(vm).find(({ spec }) => spec.key === key);
    if (volume) return { vm, volume };
  }
  return null;
};

const inLog = (host: Host, name: string): boolean =>
  host.vms.has(name as Vm['name']) || ownerNamed(host, name) !== null;

/**
 * With the disks that lie in each other's places: whoever answers for one of them answers for all, because a disk can
 * neither be in two places nor in none.
 */
const withPartners = (
  chosen: ReadonlySet<DiskDifference>,
  all: readonly DiskDifference[],
): readonly DiskDifference[] => {
  const taken = new Set(chosen);
  for (const one of taken) {
    if (one.is !== 'replaced') continue;
    const partner = all.find((other) => other.is !== 'unknown' && other.expected.disk.id === one.there.id);
    // A set being walked also gives what is added meanwhile.
    if (partner) taken.add(partner);
  }
  return [...taken];
};

export type Chosen = { readonly listed: readonly ListedDifference[]; readonly unknown: readonly UnknownDisk[] };

/** The differences that a command names. D_NOT_FOUND for a name that stands for nothing. */
export const chosenFrom = (host: Host, { names }: DriftTarget, { drift }: Context): Result<Chosen, Failure> => {
  if (!drift) return err(failure('D_BAD_INPUT', 'an answer to drift needs a look at the pools'));
  const chosen = new Set<DiskDifference>();
  for (const name of names) {
    const meant = drift.filter((one) => isMeant(one, name));
    if (meant.length === 0 && !inLog(host, name)) {
      return err(failure('D_NOT_FOUND', `nothing called ${name} differs from the log`, { next: 'domtrail drift' }));
    }
    for (const one of meant) chosen.add(one);
  }
  const all = withPartners(chosen, drift);
  return ok({
    listed: all.filter((one) => one.is !== 'unknown'),
    unknown: all.filter((one) => one.is === 'unknown'),
  });
};

export const drifted = (message: string, next?: string): Failure =>
  failure('D_DRIFT', message, next === undefined ? {} : { next });
