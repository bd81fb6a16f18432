import type { Host } from './host.ts';

/** A state that its owner may go on folding, while the one it was taken from stays. What the maps hold never changes. */
export const copyOfHost = ({ position, site, pools, vms, operations, trash, answers }: Host): Host => ({
  position,
  site,
  pools: new Map(pools),
  vms: new Map(vms),
  operations: new Map(operations),
  trash: new Map(trash),
  answers: new Map(answers),
});
