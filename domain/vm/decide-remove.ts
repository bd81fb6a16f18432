import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { dropFirewall } from '../firewall/plan.ts';
import { holdVm } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { asideAll } from '../volume/aside.ts';
import { findVm } from '../volume/find.ts';
import { all, mustBeHalted } from '../volume/guards.ts';
import type { VmTarget } from './commands.ts';
import { referencesTo } from './references.ts';
import { type Vm, volumesOf } from './vm.ts';

const mustHaveNoPins = (vm: Vm): Result<null, Failure> => {
  for (const volume of volumesOf(vm)) {
    const pinned = volume.revisions.find((revision) => revision.pinned);
    if (pinned) {
      const next = `domtrail volume unpin ${volume.spec.key} ${pinned.id}`;
      return err(failure('D_PINNED', `revision ${pinned.id} of ${volume.spec.key} is pinned`, { next }));
    }
  }
  return ok(null);
};

/** Everything leaves the live namespace; its disks wait in the trash, from where `undo` brings them back until `gc` erases them. */
export const planRemoval = (builder: PlanBuilder, vm: Vm): void => {
  for (const volume of volumesOf(vm)) asideAll(builder, volume);
  dropFirewall(builder, vm);
  builder.fact({ type: 'VmRemoved', vm: vm.name });
};

/** What must be so before a VM may go, whoever asks. */
export const mustBeRemovable = (vm: Vm): Result<null, Failure> => {
  if (vm.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${vm.name} cannot be removed`));
  return all(mustBeHalted(vm), mustHaveNoPins(vm));
};

export const decideRemoveVm = (host: Host, { name }: VmTarget, context: Context): Decision => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  const removable = mustBeRemovable(vm.value);
  if (!removable.ok) return removable;
  const [reference] = referencesTo(host, name);
  if (reference) return err(failure('D_IN_USE', `${name} is in use: ${reference}`));
  const builder = planBuilder(context.position);
  planRemoval(builder, vm.value);
  return ok({ plan: builder.build(), holds: holdVm(vm.value) });
};
