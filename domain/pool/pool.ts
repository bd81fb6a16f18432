import type { PoolName } from '../names.ts';

type Common = { readonly name: PoolName };
type Keeping = { readonly revisionsToKeep: number; readonly ephemeralVolatile: boolean };

type LvmThinPool = Common &
  Keeping & { readonly driver: 'lvm_thin'; readonly volumeGroup: string; readonly thinPool: string };
export type FileReflinkPool = Common & Keeping & { readonly driver: 'file-reflink'; readonly dir: string };
export type LinuxKernelPool = Common & { readonly driver: 'linux-kernel'; readonly dir: string };

export type Pool = LvmThinPool | FileReflinkPool | LinuxKernelPool;

/** Stock default of a pool that says nothing (qubes-core-admin, storage/__init__.py). */
export const DEFAULT_REVISIONS_TO_KEEP = 1;
