import type { Hold } from '../command/events.ts';
import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdVm } from '../holds.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm } from '../vm/vm.ts';
import { volumesOf } from '../vm/vm.ts';
import { findPool, findVm } from '../volume/find.ts';
import type { Volume } from '../volume/volume.ts';
import type { AdoptStorage } from './commands.ts';
import { type Found, type Matched, matchDisks } from './match.ts';
import { planAdoption } from './plan.ts';
import type { SeenPool, Untouched } from './seen.ts';
import { sortKept } from './sort-kept.ts';
import { NOTHING, type Sorted, sortMade } from './sort-out.ts';

type Note = { readonly object: string; readonly note: string };
type Sum = { readonly holds: Hold[]; readonly untouched: Untouched[]; readonly notes: Note[] };

const leaveAll = (found: readonly Found[], why: string): readonly Untouched[] =>
  found.map(({ disk }) => ({ name: disk.name, why }));

/** Why none of a VM's disks can be taken now; null when nothing is in the way. */
const obstacle = (vm: Vm, found: readonly Found[]): string | null => {
  if (vm.power.is === 'running') return `${vm.name} is running`;
  const open = found.find(({ disk }) => disk.open);
  return open ? `${open.disk.name} is open, so ${vm.name} seems to run: shut it down and adopt again` : null;
};

/** Sorts a volume's disks, without those that are no disks at all or come too late. */
const sortVolume = (volume: Volume, all: readonly Found[]): Sorted => {
  const { spec, situation, revisions } = volume;
  const found = all.filter(({ disk }) => disk.usable);
  const phantoms = all.filter(({ disk }) => !disk.usable);
  const untouched = leaveAll(phantoms, 'LVM lists it, but it was never made: remove it with lvremove');
  if (!spec.saveOnStop) {
    const sorted = sortMade(found, spec.snapOnStart);
    return { ...sorted, untouched: [...sorted.untouched, ...untouched] };
  }
  if (situation.is !== 'absent' || revisions.length > 0) {
    return { ...NOTHING, untouched: leaveAll(all, `the log knows the disks of ${spec.key} already`) };
  }
  const sorted = sortKept(found, spec);
  return { ...sorted, untouched: [...sorted.untouched, ...untouched] };
};

const hasNoDisk = ({ situation, spec }: Volume, sorted: Sorted, pools: ReadonlySet<string>): boolean =>
  spec.saveOnStop && pools.has(spec.pool) && situation.is === 'absent' && !sorted.current && !sorted.session;

const vmsOf = (host: Host, names: readonly VmName[]): Result<readonly Vm[], Failure> => {
  if (names.length === 0) return ok([...host.vms.values()]);
  const vms: Vm[] = [];
  for (const name of names) {
    const vm = findVm(host, name);
    if (!vm.ok) return vm;
    vms.push(vm.value);
  }
  return ok(vms);
};

/** The pools that were looked at; a command without a look at storage was not made by us. */
const seenPools = (host: Host, { pool }: AdoptStorage, { storage }: Context): Result<readonly SeenPool[], Failure> => {
  const wanted = pool === null ? null : findPool(host, pool);
  if (wanted && !wanted.ok) return wanted;
  if (!storage) return err(failure('D_BAD_INPUT', 'an adoption needs a look at the pools'));
  return ok(pool === null ? storage : storage.filter((one) => one.pool === pool));
};

/** Takes in what lies in the pools for the volumes that the log knows without a disk. Destroys nothing. */
export const decideAdoptStorage = (host: Host, payload: AdoptStorage, context: Context): Decision => {
  const pools = seenPools(host, payload, context);
  if (!pools.ok) return pools;
  const vms = vmsOf(host, payload.vms);
  if (!vms.ok) return vms;
  const matched = matchDisks(host, pools.value);
  const builder = planBuilder(context.position);
  const names = new Set<string>(pools.value.map(({ pool }) => pool));
  const sum: Sum = { holds: [], untouched: payload.vms.length === 0 ? [...matched.untouched] : [], notes: [] };
  for (const vm of vms.value) {
    const before = builder.size();
    for (const volume of adoptable(vm, matched, sum)) {
      const sorted = sortVolume(volume, matched.found.get(volume) ?? []);
      planAdoption(volume, sorted, { builder, context, pool: host.pools.get(volume.spec.pool) as Pool });
      sum.untouched.push(...sorted.untouched);
      const missing = hasNoDisk(volume, sorted, names)
        ? ['it has no disk in its pool: import one, or remove its VM']
        : [];
      sum.notes.push(...[...sorted.notes, ...missing].map((note) => ({ object: volume.spec.key, note })));
    }
    if (builder.size() > before) sum.holds.push(...holdVm(vm));
  }
  const remarks = [
    ...sum.notes.map(({ object, note }) => `${object}: ${note}`),
    ...sum.untouched.map(({ name, why }) => `left alone: ${name}: ${why}`),
  ];
  if (builder.size() > 0) {
    builder.fact({ type: 'StorageAdopted', pools: [...names], untouched: sum.untouched, notes: sum.notes });
  }
  return ok({ plan: builder.build(), holds: sum.holds, remarks });
};

/** The volumes of a VM, or none of them when something is in the way of one. */
const adoptable = (vm: Vm, { found }: Matched, sum: Sum): readonly Volume[] => {
  const volumes = volumesOf(vm);
  const disks = volumes.flatMap((volume) => found.get(volume) ?? []);
  const why = disks.length === 0 ? null : obstacle(vm, disks);
  if (why === null) return volumes;
  sum.untouched.push(...leaveAll(disks, why));
  return [];
};
