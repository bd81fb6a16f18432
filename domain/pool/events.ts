import type { TestimonyFact } from '../adoption/testimony.ts';
import type { Evidence } from '../command/events.ts';
import type { Pool } from './pool.ts';
import type { Reserve } from './reserve.ts';
import type { PoolWound } from './wound.ts';

export type PoolFact =
  | TestimonyFact
  | { readonly type: 'PoolAdded'; readonly pool: string; readonly definition: Pool }
  /** the directory of a pool lies elsewhere now, with its home */
  | { readonly type: 'PoolMoved'; readonly pool: string; readonly from: string; readonly to: string }
  | { readonly type: 'PoolRemoved'; readonly pool: string }
  /** null: what suits the pool's size */
  | {
      readonly type: 'PoolReserveSet';
      readonly pool: string;
      readonly reserve: Reserve | null;
      readonly before: Reserve | null;
    }
  /** Recorded before anything is done about it. Without a `PoolMended` after it, mending was cut off and begins again. */
  | { readonly type: 'PoolWounded'; readonly pool: string; readonly wound: PoolWound }
  | { readonly type: 'PoolMended'; readonly pool: string; readonly wound: PoolWound; readonly evidence: Evidence };
