import { formatBytes } from '../../domain/bytes.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { scarceIn } from '../../domain/pool/reserve.ts';
import type { PoolUsage } from '../../domain/pool/usage.ts';

const TROUBLES = {
  'out-of-data': 'is out of data space: writes wait or fail',
  'read-only': 'is read-only after an error and must be checked',
  failed: 'has failed and must be repaired',
} as const;

/** What a person should know about a pool before it refuses commands; nothing for one with room. */
export const warningsOf = (pool: Pool, usage: PoolUsage): readonly string[] => {
  if (pool.driver === 'linux-kernel') return [];
  if (usage.trouble) return [`pool ${pool.name} ${TROUBLES[usage.trouble]}`];
  return scarceIn(pool, usage).map(({ kind, left, reserve }) =>
    left > 0
      ? `pool ${pool.name} has ${formatBytes(left)} of ${kind} left above its reserve of ${formatBytes(reserve)}`
      : `pool ${pool.name} has used its ${kind} up to the reserve of ${formatBytes(reserve)}`,
  );
};
