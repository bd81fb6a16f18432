import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { PoolName } from '../../domain/names.ts';
import { shortOf } from '../../domain/pool/admission.ts';
import { demandOfData } from '../../domain/pool/demand.ts';
import { poolNameFor } from '../../domain/vm/new-volumes.ts';
import type { Pools } from '../runner/pools.ts';
import type { VmPlan } from './plan-vm.ts';

type Wanted = Pick<VmPlan, 'volumes'>;
type Destination = Parameters<typeof poolNameFor>[1];

/** Bytes of data that come into each pool when all of these VMs are restored. */
const dataByPool = (host: Host, plans: readonly Wanted[], to: Destination): ReadonlyMap<string, number> => {
  const data = new Map<string, number>();
  for (const { name, data: bytes } of plans.flatMap(({ volumes }) => volumes)) {
    const pool = poolNameFor(host, to, name);
    if (pool !== null) data.set(pool, (data.get(pool) ?? 0) + bytes);
  }
  return data;
};

/**
 * Why the pools cannot take all of these VMs together (D_POOL_RESERVE); asked before the first of them is made. A pool that
 * cannot be seen is for the steps to report.
 */
export const lackOfRoom = async (
  host: Host,
  pools: Pools,
  { plans, to }: { readonly plans: readonly Wanted[]; readonly to: Destination },
): Promise<Failure | null> => {
  for (const [name, data] of dataByPool(host, plans, to)) {
    const pool = host.pools.get(name as PoolName);
    const hands = pools.get(name as PoolName);
    const usage = hands.ok ? await hands.value.driver.usage() : null;
    const lack = pool && usage?.ok ? shortOf(host, pool, usage.value, demandOfData(data)) : null;
    if (lack) return lack;
  }
  return null;
};
