import type { Host } from '../host/host.ts';

/** The kernel a VM boots: its own property, else the global default, else none. */
export const kernelOf = (host: Host, properties: Readonly<Record<string, string>>): string =>
  properties['kernel'] ?? host.site?.properties['default_kernel'] ?? '';
