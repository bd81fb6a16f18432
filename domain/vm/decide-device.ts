import type { Context, Decision } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { reading } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { findVm } from '../volume/find.ts';
import type { SetDevice } from './commands.ts';
import { type Assignment, DEVICE_CLASSES, sameDevice, wordsOfDevice } from './devices.ts';
import type { Vm } from './vm.ts';

const HAVE_NONE: ReadonlySet<string> = new Set(['AdminVM', 'RemoteVM']);

const refuse = (message: string): Result<never, Failure> => err(failure('D_PROPERTY_INVALID', message));

const mustBeAssignable = (host: Host, vm: Vm, device: SetDevice): Result<null, Failure> => {
  if (HAVE_NONE.has(vm.class)) return err(failure('D_CLASS_REFUSES', `${vm.name} (${vm.class}) is given no devices`));
  if (!DEVICE_CLASSES.has(device.class)) {
    return refuse(`there is no device class ${device.class} (classes: ${[...DEVICE_CLASSES].join(', ')})`);
  }
  if (device.id === '*' && device.identity === '*') return refuse('name a port or a device: both cannot be any');
  if (device.options.some(([name]) => name === 'identity')) return refuse('an option cannot be called identity');
  if (device.class === 'pci' && vm.properties['virt_mode'] === 'pvh') {
    const next = `domtrail vm prefs ${vm.name} virt_mode hvm`;
    return err(failure('D_PROPERTY_INVALID', `${vm.name} is pvh, which takes no PCI devices`, { next }));
  }
  const backend = device.backend === null ? null : host.vms.get(device.backend);
  if (backend === undefined || backend?.class === 'RemoteVM') {
    return err(failure('D_REFERENCE_INVALID', `there is no local VM ${device.backend} to have the device`));
  }
  return ok(null);
};

const sameAssignment = (a: Assignment, b: Assignment): boolean =>
  a.mode === b.mode && JSON.stringify(a.options) === JSON.stringify(b.options);

const assign = (vm: Vm, payload: SetDevice, before: Assignment | null, context: Context): Decision => {
  const { backend, id, identity, options, mode } = payload;
  const builder = planBuilder(context.position);
  const device: Assignment = { backend, id, identity, options, mode: mode ?? 'required' };
  if (!before || !sameAssignment(before, device)) {
    builder.fact({ type: 'DeviceAssigned', vm: vm.name, class: payload.class, device, before });
  }
  return ok({ plan: builder.build(), holds: [reading(vm.name)] });
};

/** A device that a VM gets by itself from now on, or no longer. Nothing is attached to a running VM. */
export const decideSetDevice = (host: Host, payload: SetDevice, context: Context): Decision => {
  const vm = findVm(host, payload.vm);
  if (!vm.ok) return vm;
  const all = vm.value.devices?.[payload.class] ?? [];
  const before = all.find((one) => sameDevice(one, payload)) ?? null;
  if (payload.mode !== null) {
    const assignable = mustBeAssignable(host, vm.value, payload);
    return assignable.ok ? assign(vm.value, payload, before, context) : assignable;
  }
  if (!before) {
    const message = `${vm.value.name} has no ${payload.class} device ${wordsOfDevice(payload)}`;
    return err(failure('D_NOT_FOUND', message, { next: `domtrail vm devices ${vm.value.name}` }));
  }
  const builder = planBuilder(context.position);
  builder.fact({ type: 'DeviceUnassigned', vm: vm.value.name, class: payload.class, device: before });
  return ok({ plan: builder.build(), holds: [reading(vm.value.name)] });
};
