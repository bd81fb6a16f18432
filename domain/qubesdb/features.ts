import type { Host } from '../host/host.ts';
import { templateOf } from '../network/network.ts';
import type { Vm } from '../vm/vm.ts';

/** A feature of the VM, else of its template, else of that one's template. The empty text is a value, and means off. */
export const featureWithTemplate = (host: Host, vm: Vm, name: string): string | null => {
  const seen = new Set<string>();
  for (let next: Vm | null = vm; next && !seen.has(next.name); next = templateOf(host, next)) {
    const value = next.features[name];
    if (value !== undefined) return value;
    seen.add(next.name);
  }
  return null;
};

/** As above, and dom0's after all of them. */
export const featureWithAdmin = (host: Host, vm: Vm, name: string): string | null =>
  featureWithTemplate(host, vm, name) ??
  [...host.vms.values()].find((one) => one.class === 'AdminVM')?.features[name] ??
  null;

/** A property of the VM as set, else of its template. */
export const propertyWithTemplate = (host: Host, vm: Vm, name: string): string | null => {
  const seen = new Set<string>();
  for (let next: Vm | null = vm; next && !seen.has(next.name); next = templateOf(host, next)) {
    const value = next.properties[name];
    if (value !== undefined) return value;
    seen.add(next.name);
  }
  return null;
};
