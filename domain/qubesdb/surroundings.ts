import type { Vm } from '../vm/vm.ts';

/** What only the place of a start knows: the host's time zone, and the domain ids of running VMs (null: not known). */
export type Surroundings = {
  readonly timezone: string | null;
  readonly xidOf: (vm: Vm) => number | null;
  /** epoch milliseconds */
  readonly now: number;
};
