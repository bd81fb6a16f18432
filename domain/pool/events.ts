import type { Pool } from './pool.ts';

export type PoolFact =
  | { readonly type: 'PoolAdded'; readonly pool: string; readonly definition: Pool }
  /** the directory of a pool lies elsewhere now, with its home */
  | { readonly type: 'PoolMoved'; readonly pool: string; readonly from: string; readonly to: string }
  | { readonly type: 'PoolRemoved'; readonly pool: string };
