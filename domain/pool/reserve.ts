import type { Pool } from './pool.ts';
import type { PoolUsage } from './usage.ts';

/** Whole percent of a pool that commands leave free: of its data space, and of its metadata where it has any. */
export type Reserve = { readonly data: number; readonly metadata: number };

export const DATA_PERCENT = 5;
export const METADATA_PERCENT = 10;

/** Nobody needs five percent of a large disk to make room on it. A file system that is full harms its writer only. */
const mostData = ({ driver }: Pool): number => (driver === 'lvm_thin' ? 4 * 2 ** 30 : 256 * 2 ** 20);

/** What LVM itself wants free before it makes another disk: 4 MiB, of small metadata a quarter (measured: testbed §3). */
const lvmWants = (metadataBytes: number): number => Math.min(metadataBytes / 4, 4 * 2 ** 20);

const share = (bytes: number, percent: number): number => Math.ceil((bytes * percent) / 100);

export type Room = {
  readonly kind: 'data' | 'metadata';
  readonly bytes: number;
  readonly usedBytes: number;
  readonly reserve: number;
  /** what may still be taken; below zero once the reserve is used */
  readonly left: number;
};

const roomOf = (kind: Room['kind'], bytes: number, usedBytes: number, reserve: number): Room => ({
  kind,
  bytes,
  usedBytes,
  reserve,
  left: bytes - usedBytes - reserve,
});

/** How much of a pool may still be taken: of its data space, and of its metadata where it has any. */
export const roomsIn = (pool: Pool, usage: PoolUsage): readonly Room[] => {
  const own = 'reserve' in pool ? pool.reserve : undefined;
  const { bytes, usedBytes, metadataBytes, metadataUsedBytes } = usage;
  const forData = own ? share(bytes, own.data) : Math.min(share(bytes, DATA_PERCENT), mostData(pool));
  const data = roomOf('data', bytes, usedBytes, forData);
  if (metadataBytes === null || metadataUsedBytes === null) return [data];
  const forMetadata = own
    ? share(metadataBytes, own.metadata)
    : Math.max(share(metadataBytes, METADATA_PERCENT), lvmWants(metadataBytes));
  return [data, roomOf('metadata', metadataBytes, metadataUsedBytes, forMetadata)];
};

/** Which of a pool's rooms people should look after: those with no more left than they keep back. */
export const scarceIn = (pool: Pool, usage: PoolUsage): readonly Room[] =>
  roomsIn(pool, usage).filter(({ left, reserve }) => left < reserve);
