import type { PoolName } from '../names.ts';

/**
 * Why a pool takes no writes as it is now, as LVM reports it (spec: testbed §3): out of data space, metadata switched to
 * read-only after an error, or failed altogether.
 */
export type PoolTrouble = 'out-of-data' | 'read-only' | 'failed';

/** Bytes of a pool, and of its metadata where it has any. */
export type PoolUsage = {
  readonly bytes: number;
  readonly usedBytes: number;
  readonly metadataBytes: number | null;
  readonly metadataUsedBytes: number | null;
  readonly trouble?: PoolTrouble;
};

/**
 * What was seen of the pools that a plan writes to, right before it was decided. `data`: how many bytes of data there are
 * in what it copies, by path or disk id; holes in a sparse file do not count. What is missing there counts with its size.
 */
export type SeenUsage = {
  readonly pools: readonly (PoolUsage & { readonly pool: PoolName })[];
  readonly data: Readonly<Record<string, number>>;
};
