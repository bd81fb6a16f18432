import type { Evidence } from '../command/events.ts';
import type { Pool } from './pool.ts';
import type { PoolWound } from './wound.ts';

export type PoolFact =
  | { readonly type: 'PoolAdded'; readonly pool: string; readonly definition: Pool }
  | { readonly type: 'PoolRemoved'; readonly pool: string }
  /** Recorded before anything is done about it. Without a `PoolMended` after it, mending was cut off and begins again. */
  | { readonly type: 'PoolWounded'; readonly pool: string; readonly wound: PoolWound }
  | { readonly type: 'PoolMended'; readonly pool: string; readonly wound: PoolWound; readonly evidence: Evidence };
