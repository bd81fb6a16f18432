import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';

/** Longer chains of templates do not exist: DispVM, AppVM, TemplateVM. */
const CHAIN = 8;

/** The kernel a VM boots, as stock finds it: its own property, else its template's, else the global default, else none. */
export const kernelOf = (host: Host, properties: Readonly<Record<string, string>>): string => {
  let of: Readonly<Record<string, string>> | undefined = properties;
  for (let depth = 0; of && depth < CHAIN; depth++) {
    const kernel: string | undefined = of['kernel'];
    if (kernel !== undefined) return kernel;
    of = host.vms.get((of['template'] ?? '') as VmName)?.properties;
  }
  return host.site?.properties['default_kernel'] ?? '';
};
