import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import type { Vm } from '../vm/vm.ts';

export const runs = (vm: Vm): boolean => vm.power.is === 'running';

export const providesNetwork = (vm: Vm): boolean => vm.properties['provides_network'] === 'True';

const vmCalled = (host: Host, name: string | undefined): Vm | null =>
  name ? (host.vms.get(name as VmName) ?? null) : null;

export const templateOf = (host: Host, vm: Vm): Vm | null => vmCalled(host, vm.properties['template']);

/** The VM that a VM reaches the network through: as set, else the global default, which templates do not take. */
export const netvmOf = (host: Host, vm: Vm): Vm | null => {
  const set = vm.properties['netvm'];
  if (set !== undefined) return vmCalled(host, set);
  if (vm.class === 'TemplateVM' || vm.class === 'AdminVM') return null;
  const standard = vmCalled(host, host.site?.properties['default_netvm']);
  return standard?.name === vm.name ? null : standard;
};

/** VMs that reach the network through this one, running or not, by name. */
export const clientsOf = (host: Host, netvm: Vm): readonly Vm[] =>
  [...host.vms.values()]
    .filter((vm) => netvmOf(host, vm)?.name === netvm.name)
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** A VM and those it reaches the network through, nearest first. Ends where a ring would close. */
export const wayOut = (host: Host, vm: Vm): readonly Vm[] => {
  const way: Vm[] = [];
  for (let next: Vm | null = vm; next && !way.includes(next); next = netvmOf(host, next)) way.push(next);
  return way;
};
