import { formatBytes } from '../bytes.ts';
import type { CommandName } from '../command/registry.ts';
import type { Context } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { Plan } from '../steps.ts';
import { type CouldFree, couldFree } from './could-free.ts';
import { type Demand, demandsOf } from './demand.ts';
import type { Pool } from './pool.ts';
import { type Room, roomsIn } from './reserve.ts';
import type { PoolUsage } from './usage.ts';

/** Enough to act on; a host may have thousands. */
const MOST_LISTED = 20;

const enlarge = (pool: Pool, { kind }: Room): string => {
  if (pool.driver !== 'lvm_thin') return `make room in the file system of ${pool.dir}`;
  const option = kind === 'data' ? '--size' : '--poolmetadatasize';
  return `lvm lvextend ${option} +SIZE ${pool.volumeGroup}/${pool.thinPool}`;
};

const refusal = (pool: Pool, room: Room, needed: number, freeable: readonly CouldFree[]): Failure => {
  const { kind, left, reserve } = room;
  const has = `${formatBytes(Math.max(0, left))} of ${kind} left above its reserve of ${formatBytes(reserve)}`;
  const message = `pool ${pool.name} has ${has}, and this takes up to ${formatBytes(needed)}`;
  return failure('D_POOL_RESERVE', message, {
    next: freeable[0]?.next ?? enlarge(pool, room),
    couldFree: freeable.slice(0, MOST_LISTED),
  });
};

/** A pool that takes no writes: nothing can be made in it, and trying would only leave half of it behind. */
const troubled = (pool: Pool, { trouble }: PoolUsage): Failure | null => {
  if (trouble === undefined || trouble === 'out-of-data') return null;
  const next = 'docs/failure-modes.md, "A pool that takes no writes"';
  return trouble === 'failed'
    ? failure('D_POOL_DAMAGED', `pool ${pool.name} has failed and must be repaired`, { next })
    : failure('D_POOL_READ_ONLY', `pool ${pool.name} is read-only after an error and must be checked`, { next });
};

/** These put data where it is safe: the reserve is there for them. */
const SAVING: ReadonlySet<string> = new Set<CommandName>(['CommitVolume']);

type Planned = { readonly name: CommandName; readonly plan: Plan };

/** Why a pool cannot take so much (D_POOL_RESERVE); null when it can. */
export const shortOf = (host: Host, pool: Pool, usage: PoolUsage, demand: Demand): Failure | null => {
  const short = roomsIn(pool, usage).find(({ kind, left }) => demand[kind] > 0 && demand[kind] > left);
  return short ? refusal(pool, short, demand[short.kind], couldFree(host, pool.name)) : null;
};

/**
 * Refuses a plan whose worst case would pass a pool's reserve (D_POOL_RESERVE), or that would make something in a pool
 * that takes no writes (D_POOL_READ_ONLY, D_POOL_DAMAGED). Plans that only rename, read or free are never refused, nor is a
 * commit: they are how data is saved and room is made. Without a look at a pool nothing is said about it.
 */
export const beyondReserve = (host: Host, { name, plan }: Planned, { usage }: Context): Failure | null => {
  if (!usage) return null;
  const demands = demandsOf(plan, usage);
  for (const seen of usage.pools) {
    const pool = host.pools.get(seen.pool);
    const demand = demands.get(seen.pool);
    if (!pool || !demand) continue;
    const refused = troubled(pool, seen) ?? (SAVING.has(name) ? null : shortOf(host, pool, seen, demand));
    if (refused) return refused;
  }
  return null;
};
