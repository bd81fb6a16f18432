import type { Pool } from './pool.ts';

export type PoolFact =
  | { readonly type: 'PoolAdded'; readonly pool: string; readonly definition: Pool }
  | { readonly type: 'PoolRemoved'; readonly pool: string };
