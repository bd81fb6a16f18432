import type { Host } from '../host/host.ts';
import { effective } from './keepers.ts';
import type { Vm } from './vm.ts';

/** The VM that gives a VM its network; TemplateVMs have one only when it is set. */
export const netvmOf = (host: Host, vm: Vm): string | null =>
  effective(vm, 'netvm', vm.class === 'TemplateVM' ? '' : (host.site?.properties['default_netvm'] ?? ''));

/** All that get their network through a VM, however far away; the VM itself only in a loop. */
export const connectedTo = (host: Host, name: string): ReadonlySet<string> => {
  const clients = new Map<string, string[]>();
  for (const vm of host.vms.values()) {
    const netvm = netvmOf(host, vm);
    if (netvm !== null) clients.set(netvm, [...(clients.get(netvm) ?? []), vm.name]);
  }
  const reached = new Set<string>();
  const waiting = [name];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const client of clients.get(from) ?? []) {
      if (reached.has(client)) continue;
      reached.add(client);
      waiting.push(client);
    }
  }
  return reached;
};
