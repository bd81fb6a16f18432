import { parseLvmName } from '../names.ts';
import type { Pool } from './pool.ts';

/** Why nothing can be done in an adopted pool; null for pools that can be worked in. */
export const whyUnusable = (pool: Pool): string | null => {
  if (pool.driver === 'file') return `pool ${pool.name} has the old driver file, which domtrail only keeps`;
  if (pool.driver !== 'lvm_thin') return null;
  const names = parseLvmName(pool.volumeGroup).ok && parseLvmName(pool.thinPool).ok;
  return names ? null : `pool ${pool.name} names no volume group and thin pool of LVM`;
};
