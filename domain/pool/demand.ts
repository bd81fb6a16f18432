import type { PoolName } from '../names.ts';
import type { ContentSource, Deed, Plan } from '../steps.ts';
import type { SeenUsage } from './usage.ts';

/** Bytes that a command may take from a pool by itself, at worst. */
export type Demand = { readonly data: number; readonly metadata: number };

/** A VM writes as soon as it runs; how much more it will write nobody knows, and overcommitting is what thin pools are for. */
const FIRST_WRITES = 2 ** 20;

/** A thin device's entry, and the tree of its mappings from the root to one leaf: blocks of 4 KiB. */
const METADATA_OF_DISK = 16 * 1024;

/** Metadata for each byte of data at 64 KiB a chunk: 20 bytes were measured, and leaves that split are half full. */
const METADATA_OF_DATA = 40 / (64 * 1024);

const ADDS = { data: 0, metadata: METADATA_OF_DISK } as const;

/**
 * Data of a source. Of standard input nobody can tell beforehand; one that brings too much ends in an error and is taken
 * back.
 */
const dataOf = (from: ContentSource, sizes: ReadonlyMap<number, number>, filled: Deed, seen: SeenUsage): number => {
  switch (from.kind) {
    case 'stdin':
      return 0;
    case 'backup':
      return from.data;
    case 'file':
      return Math.min(from.bytes, seen.data[from.path] ?? from.bytes);
    case 'disk': {
      const made = filled.do === 'fill' && 'madeBy' in filled.disk ? sizes.get(filled.disk.madeBy) : undefined;
      const known = 'id' in from.disk ? seen.data[from.disk.id] : undefined;
      return known ?? made ?? 0;
    }
  }
};

const demandOf = (deed: Deed, sizes: ReadonlyMap<number, number>, seen: SeenUsage): Demand | null => {
  switch (deed.do) {
    case 'create':
    case 'snapshot': {
      const { kind } = deed.at.role;
      return kind === 'session' || kind === 'scratch' ? { ...ADDS, data: FIRST_WRITES } : ADDS;
    }
    case 'resize':
      return deed.shrink ? null : ADDS;
    case 'fill': {
      const data = dataOf(deed.from, sizes, deed, seen);
      return { data, metadata: Math.ceil(data * METADATA_OF_DATA) };
    }
    default:
      return null;
  }
};

/** What it takes to fill new disks with so many bytes. */
export const demandOfData = (data: number): Demand => ({
  data,
  metadata: METADATA_OF_DISK + Math.ceil(data * METADATA_OF_DATA),
});

/** The pools a deed takes something from; null for those that only rename, read or give back. */
export const takesFrom = (deed: Deed): PoolName | null =>
  deed.do === 'create' || deed.do === 'snapshot' || deed.do === 'fill' || (deed.do === 'resize' && !deed.shrink)
    ? deed.at.pool
    : null;

/** What a plan takes from each pool at worst. Pools it only renames in or frees space of are not in it. */
export const demandsOf = ({ main }: Plan, seen: SeenUsage): ReadonlyMap<PoolName, Demand> => {
  const sizes = new Map<number, number>();
  const demands = new Map<PoolName, Demand>();
  for (const { n, deed } of main) {
    if (deed.do === 'create') sizes.set(n, deed.bytes);
    const pool = takesFrom(deed);
    const more = pool && demandOf(deed, sizes, seen);
    if (!pool || !more) continue;
    const before = demands.get(pool) ?? { data: 0, metadata: 0 };
    demands.set(pool, { data: before.data + more.data, metadata: before.metadata + more.metadata });
  }
  return demands;
};
