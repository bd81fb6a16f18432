import type { PoolName } from '../names.ts';
import type { Reserve } from './reserve.ts';

type Common = { readonly name: PoolName };
type Keeping = {
  readonly revisionsToKeep: number;
  /** as an adopted document wrote it, where that is not how the number is written */
  readonly revisionsText?: string;
  readonly ephemeralVolatile: boolean;
  /** left out: what suits the pool's size */
  readonly reserve?: Reserve;
};

type LvmThinPool = Common &
  Keeping & { readonly driver: 'lvm_thin'; readonly volumeGroup: string; readonly thinPool: string };
export type FileReflinkPool = Common & Keeping & { readonly driver: 'file-reflink'; readonly dir: string };
export type LinuxKernelPool = Common & { readonly driver: 'linux-kernel'; readonly dir: string };

/** Stock's old driver: such a pool is kept as it was adopted, and nothing is done in it. */
type FilePool = Common & Keeping & { readonly driver: 'file'; readonly dir: string };

export type Pool = LvmThinPool | FileReflinkPool | LinuxKernelPool | FilePool;

/** Stock default of a pool that says nothing (qubes-core-admin, storage/__init__.py). */
export const DEFAULT_REVISIONS_TO_KEEP = 1;

type WithReserve = LvmThinPool | FileReflinkPool | FilePool;

export const withReserve = ({ reserve: _before, ...pool }: WithReserve, reserve: Reserve | null): WithReserve =>
  reserve ? { ...pool, reserve } : pool;
