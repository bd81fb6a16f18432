import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdVm, reading } from '../holds.ts';
import { type Host, volumeOf } from '../host/host.ts';
import { parseVmName } from '../names.ts';
import { networkAtStart } from '../network/at-start.ts';
import { planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { nameUnsafe } from '../safe-names.ts';
import { disksOf } from '../volume/disks.ts';
import { findVm } from '../volume/find.ts';
import { planStart } from '../volume/plan-start.ts';
import { planStop } from '../volume/plan-stop.ts';
import type { Planning } from '../volume/swap.ts';
import type { Volume } from '../volume/volume.ts';
import type { StopVm, VmTarget } from './commands.ts';
import { checkReference } from './property-rules.ts';
import { checkTemplate } from './template-rules.ts';
import { type Vm, volumesOf } from './vm.ts';

const NOTHING_TO_DO = ok({ plan: { main: [], facts: [], cleanup: [] }, holds: [] });

const planningOf = (host: Host, volume: Volume, base: Omit<Planning, 'pool'>): Planning => ({
  ...base,
  pool: host.pools.get(volume.spec.pool) as Pool,
});

/** What must be right around a VM before its disks are touched. */
const mustBeStartable = (host: Host, vm: Vm): Result<null, Failure> => {
  if (vm.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${vm.name} is the host itself`));
  if (vm.class === 'RemoteVM') return err(failure('D_CLASS_REFUSES', `${vm.name} runs on another host`));
  const template = checkTemplate(host, vm.class, vm.properties['template'] ?? null);
  if (!template.ok) return template;
  const netvm = checkReference(host, 'netvm', vm.properties['netvm'] ?? '');
  return netvm.ok ? ok(null) : netvm;
};

export const decideStart = (host: Host, { name }: VmTarget, context: Context): Decision => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  if (vm.value.power.is === 'running') return NOTHING_TO_DO;
  // Whatever else is wrong: under such a name nothing can be started here.
  if (!parseVmName(name).ok) return err(nameUnsafe(name));
  const startable = mustBeStartable(host, vm.value);
  if (!startable.ok) return startable;
  const builder = planBuilder(context.position);
  const reads = new Set<string>();
  for (const volume of volumesOf(vm.value)) {
    const source = volume.spec.source ? (volumeOf(host, volume.spec.source) ?? null) : null;
    const planned = planStart(volume, source, planningOf(host, volume, { builder, context }));
    if (!planned.ok) return planned;
    if (volume.spec.source) reads.add(volume.spec.source);
  }
  const network = networkAtStart(host, vm.value, context);
  for (const deed of network.before) builder.main(name, deed);
  builder.main(name, { do: 'startDomain', vm: name });
  for (const deed of network.after) builder.main(name, deed);
  builder.fact({ type: 'VmStarted', vm: name, bootId: context.bootId });
  for (const fact of network.facts) builder.fact(fact);
  return ok({ plan: builder.build(), holds: [...holdVm(vm.value), ...[...reads].map(reading), ...network.holds] });
};

/** A device somebody still has open would be pulled away under them; stock zeroes it (spec: storage 2.5). */
const mustBeClosed = (vm: Vm, { open }: Context): Result<null, Failure> => {
  for (const volume of volumesOf(vm)) {
    if (volume.situation.is === 'absent' || volume.situation.is === 'clean') continue;
    const used = disksOf(volume).find(({ disk, role }) => role.kind !== 'revision' && open.includes(disk.id));
    if (used) {
      const message = `${volume.spec.key} is still open in another process`;
      return err(failure('D_DEVICE_IN_USE', message, { next: `close it, then: domtrail vm stop ${vm.name}` }));
    }
  }
  return ok(null);
};

type Ending = { readonly keep: boolean; readonly how: 'shutdown' | 'kill' | 'discard' };

const end = (host: Host, name: Vm['name'], { keep, how }: Ending, context: Context): Decision => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  if (vm.value.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${name} is the host itself`));
  if (vm.value.power.is === 'halted') return NOTHING_TO_DO;
  const closed = mustBeClosed(vm.value, context);
  if (!closed.ok) return closed;
  const builder = planBuilder(context.position);
  builder.main(name, { do: 'stopDomain', vm: name, how: how === 'kill' ? 'kill' : 'shutdown' });
  for (const volume of volumesOf(vm.value)) planStop(volume, keep, planningOf(host, volume, { builder, context }));
  builder.fact({ type: 'VmStopped', vm: name, how });
  return ok({ plan: builder.build(), holds: holdVm(vm.value) });
};

export const decideStop = (host: Host, { name, discard }: StopVm, context: Context): Decision =>
  end(host, name, { keep: !discard, how: discard ? 'discard' : 'shutdown' }, context);

/** Stops at once and keeps like a stop. */
export const decideKill = (host: Host, { name }: VmTarget, context: Context): Decision =>
  end(host, name, { keep: true, how: 'kill' }, context);
