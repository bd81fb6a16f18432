import type { Context, Decision } from '../decision.ts';
import type { DiskId } from '../disk.ts';
import { failure } from '../failure.ts';
import { holdName, holdVm } from '../holds.ts';
import { planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok } from '../result.ts';
import { volumesOf } from '../vm/vm.ts';
import { planStop } from '../volume/plan-stop.ts';
import type { Planning } from '../volume/swap.ts';
import type { Volume } from '../volume/volume.ts';
import type { CollectGarbage, InitHost, RecordReboot } from './commands.ts';
import type { Host } from './host.ts';
import { STOCK_LABELS } from './stock-labels.ts';

export const decideInit = (host: Host, { pools }: InitHost, context: Context): Decision => {
  const builder = planBuilder(context.position);
  if (host.site) return ok({ plan: builder.build(), holds: [] });
  builder.fact({ type: 'HostInitialised', labels: STOCK_LABELS, properties: { default_pool_kernel: 'linux-kernel' } });
  for (const definition of pools) builder.fact({ type: 'PoolAdded', pool: definition.name, definition });
  builder.fact({
    type: 'VmCreated',
    vm: 'dom0' as never,
    class: 'AdminVM',
    properties: { label: 'black' },
    features: {},
    tags: [],
    volumes: [],
    clonedFrom: null,
  });
  return ok({ plan: builder.build(), holds: [] });
};

/** A session that is kept at stop stays until somebody decides; what would be thrown away at stop goes now. */
const leave = (volume: Volume, planning: Planning): void => {
  const { situation, spec } = volume;
  if (situation.is === 'running' && spec.saveOnStop && spec.rw) {
    planning.builder.fact({ type: 'SessionLeft', volume: spec.key });
  } else {
    planStop(volume, false, planning);
  }
};

/** The host came up under another boot id: what the log calls running did not survive. Never commits anything. */
export const decideReboot = (host: Host, { bootId }: RecordReboot, context: Context): Decision => {
  const builder = planBuilder(context.position);
  const died = [...host.vms.values()].filter((vm) => vm.power.is === 'running' && vm.power.bootId !== bootId);
  if (died.length > 0) builder.fact({ type: 'HostRebooted', bootId });
  for (const vm of died) {
    for (const volume of volumesOf(vm)) {
      leave(volume, { builder, context, pool: host.pools.get(volume.spec.pool) as Pool });
    }
    builder.fact({ type: 'VmStopped', vm: vm.name, how: 'host-reboot' });
  }
  return ok({ plan: builder.build(), holds: died.flatMap(holdVm) });
};

/** Erases disks that the log put into the trash, and no others. */
export const decideGarbage = (host: Host, { disks }: CollectGarbage, context: Context): Decision => {
  const builder = planBuilder(context.position);
  const holds = [];
  for (const id of disks) {
    const trash = host.trash.get(id as DiskId);
    if (!trash) return err(failure('D_NOT_FOUND', `${id} is not in the trash`, { next: 'domtrail gc --plan' }));
    builder.main(trash.from, { do: 'erase', disk: { id: trash.disk.id }, at: trash.place });
    builder.fact({ type: 'DiskErased', disk: trash.disk.id, from: trash.from });
    holds.push(holdName(`trash ${id}`));
  }
  return ok({ plan: builder.build(), holds });
};
