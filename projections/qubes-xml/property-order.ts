import { byCodePoint } from '../../domain/vm/order.ts';
import { LATE_PROPERTIES } from '../../domain/vm/property-table.ts';

/** The names of a VM's properties in the order in which stock saves them: by the stage of loading, then by name. */
export const inVmOrder = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => Number(LATE_PROPERTIES.has(a)) - Number(LATE_PROPERTIES.has(b)) || byCodePoint(a, b));

/** The names of global properties in the order in which stock saves them; they are all of one stage. */
export const inGlobalOrder = (names: readonly string[]): readonly string[] => [...names].sort(byCodePoint);
