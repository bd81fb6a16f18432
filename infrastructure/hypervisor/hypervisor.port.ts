import type { Acted } from '../drivers/driver.port.ts';

/** Starts and stops domains. Both must be safe to repeat. */
export type Hypervisor = {
  readonly start: (vm: string) => Promise<Acted>;
  readonly stop: (vm: string, how: 'shutdown' | 'kill') => Promise<Acted>;
};
