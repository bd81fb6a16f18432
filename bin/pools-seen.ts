import type { Host } from '../domain/host/host.ts';
import type { PoolName } from '../domain/names.ts';
import type { Pool } from '../domain/pool/pool.ts';
import { scarceIn } from '../domain/pool/reserve.ts';
import type { PoolUsage } from '../domain/pool/usage.ts';
import { driverFor } from './compose.ts';

export type SeenPool = { readonly pool: Pool; readonly usage: PoolUsage };

/** How full the pools are now; those that cannot be seen are left out. */
export const lookAtPools = async (host: Host): Promise<readonly SeenPool[]> => {
  const seen: SeenPool[] = [];
  for (const pool of host.pools.values()) {
    const usage = pool.driver === 'linux-kernel' ? null : await driverFor(pool).usage();
    if (usage?.ok) seen.push({ pool, usage: usage.value });
  }
  return seen;
};

/** The pools that have come near their reserve. */
export const scarcePools = async (host: Host): Promise<ReadonlySet<PoolName>> =>
  new Set(
    (await lookAtPools(host))
      .filter(({ pool, usage }) => scarceIn(pool, usage).length > 0)
      .map(({ pool }) => pool.name),
  );
