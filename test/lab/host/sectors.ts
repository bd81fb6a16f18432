/** A disk with a cache that a power cut empties: what was written counts for sure only once it was flushed. */

export const SECTOR = 512;

/** What reaches a disk, in the order in which it does. Trims change nothing here and are not among them. */
export type Request =
  | { readonly is: 'write'; readonly sector: number; readonly data: Buffer; readonly durable: boolean }
  | { readonly is: 'flush' };

/**
 * What becomes of writes that were not flushed:
 * - none: all are lost · all: none is, as in a page cache that survives the kernel
 * - prefix: they survive in order up to a random one, which is torn at a sector
 * - random: each sector keeps any of its versions since the last flush, or none of them
 */
const CUTS = ['none', 'prefix', 'random', 'all'] as const;
export type Cut = (typeof CUTS)[number];

type Random = () => number;

/** mulberry32: small, and the same everywhere. Numbers from 0 up to 1. */
export const randomOf = (seed: number): Random => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

type Write = { readonly sector: number; readonly data: Buffer };

const sectorsOf = ({ sector, data }: Write): readonly Write[] =>
  Array.from({ length: data.length / SECTOR }, (_, index) => ({
    sector: sector + index,
    data: data.subarray(index * SECTOR, (index + 1) * SECTOR),
  }));

const prefixOf = (pending: readonly Write[], random: Random): readonly Write[] => {
  const kept = Math.floor(random() * (pending.length + 1));
  return pending.slice(0, kept).map((write, index) => {
    if (index < kept - 1) return write;
    const sectors = 1 + Math.floor((random() * write.data.length) / SECTOR);
    return { sector: write.sector, data: write.data.subarray(0, sectors * SECTOR) };
  });
};

const scatteredOf = (pending: readonly Write[], random: Random): readonly Write[] => {
  const versions = new Map<number, Buffer[]>();
  for (const { sector, data } of pending.flatMap(sectorsOf)) {
    versions.set(sector, [...(versions.get(sector) ?? []), data]);
  }
  return [...versions].flatMap(([sector, all]) => {
    const data = all[Math.floor(random() * (all.length + 1))];
    return data ? [{ sector, data }] : [];
  });
};

/** What of the unflushed writes survives, in an order in which they can be put down. */
const surviving = (pending: readonly Write[], cut: Cut, random: Random): readonly Write[] => {
  switch (cut) {
    case 'none':
      return [];
    case 'all':
      return pending;
    case 'prefix':
      return prefixOf(pending, random);
    case 'random':
      return scatteredOf(pending, random);
  }
};

/** The contents of a disk behind a cache: reading sees every write, `settled` only what is on the disk for sure. */
export type Store = {
  readonly bytes: number;
  readonly read: (offset: number, length: number) => Buffer;
  readonly write: (offset: number, data: Buffer) => void;
};

/** Sectors laid over another store, which stays as it is. */
export const layerOver = (below: Store): Store => {
  const own = new Map<number, Buffer>();
  return {
    bytes: below.bytes,
    read: (offset, length) => {
      const data = Buffer.from(below.read(offset, length));
      const first = offset / SECTOR;
      for (let index = 0; index < length / SECTOR; index++) own.get(first + index)?.copy(data, index * SECTOR);
      return data;
    },
    write: (offset, data) => {
      for (const one of sectorsOf({ sector: offset / SECTOR, data })) own.set(one.sector, Buffer.from(one.data));
    },
  };
};

/** The cache over a store: requests go in, `cut` ends its life and gives how many writes were pending. */
export type Cache = {
  readonly read: (offset: number, length: number) => Buffer;
  readonly take: (request: Request) => void;
  readonly cut: (cut: Cut, seed: number) => { readonly pending: number; readonly kept: number };
};

export const cacheOver = (store: Store): Cache => {
  let pending: Write[] = [];
  let newest = new Map<number, Buffer>();
  const settle = (writes: readonly Write[]): void => {
    for (const { sector, data } of writes) store.write(sector * SECTOR, data);
    pending = [];
    newest = new Map();
  };
  /** Forced unit access: this range is on the disk now, whatever was pending for it is void, the rest stays pending. */
  const putDown = (write: Write): void => {
    store.write(write.sector * SECTOR, write.data);
    const end = write.sector + write.data.length / SECTOR;
    const covered = ({ sector }: Write): boolean => sector >= write.sector && sector < end;
    pending = pending.flatMap((one) => {
      const apart = one.sector >= end || one.sector + one.data.length / SECTOR <= write.sector;
      return apart ? [one] : sectorsOf(one).filter((piece) => !covered(piece));
    });
    for (let sector = write.sector; sector < end; sector++) newest.delete(sector);
  };
  return {
    read: (offset, length) => {
      const data = Buffer.from(store.read(offset, length));
      if (newest.size === 0) return data;
      for (let index = 0; index < length / SECTOR; index++) {
        newest.get(offset / SECTOR + index)?.copy(data, index * SECTOR);
      }
      return data;
    },
    take: (request) => {
      if (request.is === 'flush') return settle(pending);
      if (request.durable) return putDown(request);
      pending.push(request);
      for (const one of sectorsOf(request)) newest.set(one.sector, one.data);
    },
    cut: (cut, seed) => {
      const all = pending.length;
      const kept = surviving(pending, cut, randomOf(seed));
      settle(kept);
      return { pending: all, kept: kept.length };
    },
  };
};
