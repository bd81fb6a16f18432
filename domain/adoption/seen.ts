import type { DiskId, Role } from '../disk.ts';
import type { PoolName } from '../names.ts';

/** What a disk's name says it is. An LVM name holds no revision number, and one name serves session, scratch and direct disks. */
export type NamedAs =
  | Extract<Role, { readonly kind: 'current' | 'session' | 'import' | 'incoming' | 'trash' | 'legacy' }>
  | { readonly kind: 'revision'; readonly number: number | null; readonly at: number };

/**
 * A disk that the log does not know, as it was seen before the decision and recorded with it. `usedBytes` 0: nothing is
 * allocated, so it reads as zeros; null: the driver cannot tell. `named` null: the name is none that domtrail or stock
 * Qubes gives.
 */
export type SeenDisk = {
  readonly id: DiskId;
  readonly name: string;
  readonly named: { readonly vid: string; readonly as: NamedAs } | null;
  readonly bytes: number;
  readonly usedBytes: number | null;
  readonly origin: DiskId | null;
  readonly active: boolean;
  readonly open: boolean;
  /** false: LVM lists it, but the kernel never made it (spec: lvm 9) */
  readonly usable: boolean;
  /** when its content was last written, epoch milliseconds, where the driver knows */
  readonly writtenAt?: number;
};

export type SeenPool = { readonly pool: PoolName; readonly disks: readonly SeenDisk[] };

/** What is left alone, and why. */
export type Untouched = { readonly name: string; readonly why: string };
