import { byCodePoint } from '../../domain/vm/order.ts';

/**
 * Properties of a VM that stock loads late (stage 4), because they refer to other VMs or follow from such; all others
 * belong to stage 2, and the global ones all to stage 3. Elements are saved by stage, then by name.
 */
const LATE: ReadonlySet<string> = new Set([
  'appvm_default_bootmode',
  'audiovm',
  'bootmode',
  'default_dispvm',
  'guivm',
  'kernelopts',
  'management_dispvm',
  'netvm',
  'relayvm',
  'template',
]);

/** The names of a VM's properties in the order in which stock saves them. */
export const inVmOrder = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => Number(LATE.has(a)) - Number(LATE.has(b)) || byCodePoint(a, b));

/** The names of global properties in the order in which stock saves them. */
export const inGlobalOrder = (names: readonly string[]): readonly string[] => [...names].sort(byCodePoint);
