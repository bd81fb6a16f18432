import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { dropFirewall } from '../firewall/plan.ts';
import { holdVm } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder, throwAway } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { disksOf } from '../volume/disks.ts';
import { findVm } from '../volume/find.ts';
import { mustBeHalted } from '../volume/guards.ts';
import { placeOf } from '../volume/swap.ts';
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

/** Everything leaves the live namespace first; only then is anything erased. */
export const decideRemoveVm = (host: Host, { name }: VmTarget, context: Context): Decision => {
  const vm = findVm(host, name);
  if (!vm.ok) return vm;
  if (vm.value.class === 'AdminVM') return err(failure('D_CLASS_REFUSES', `${name} cannot be removed`));
  const halted = mustBeHalted(vm.value);
  if (!halted.ok) return halted;
  const [reference] = referencesTo(host, name);
  if (reference) return err(failure('D_IN_USE', `${name} is in use: ${reference}`));
  const pins = mustHaveNoPins(vm.value);
  if (!pins.ok) return pins;
  const builder = planBuilder(context.position);
  for (const volume of volumesOf(vm.value)) {
    for (const { disk, role } of disksOf(volume)) {
      const from = placeOf(volume, role);
      throwAway(builder, { object: volume.spec.key, ref: { id: disk.id }, disk, from }, 'removed');
    }
  }
  dropFirewall(builder, vm.value);
  builder.fact({ type: 'VmRemoved', vm: name });
  return ok({ plan: builder.build(), holds: holdVm(vm.value) });
};
