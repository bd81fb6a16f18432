import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdName } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import type { AddPool, RecordPoolMended, RecordPoolWound, RemovePool, SetPoolReserve } from './commands.ts';
import type { PoolFact } from './events.ts';
import type { Pool } from './pool.ts';
import type { PoolWound } from './wound.ts';

/** Two pools over the same storage would each take the other's disks for foreign. */
const sameStorage = (a: Pool, b: Pool): boolean => {
  if (a.driver === 'lvm_thin') {
    return b.driver === 'lvm_thin' && a.volumeGroup === b.volumeGroup && a.thinPool === b.thinPool;
  }
  return b.driver !== 'lvm_thin' && a.dir === b.dir;
};

export const decideAddPool = (host: Host, { definition }: AddPool, context: Context): Decision => {
  if (host.pools.has(definition.name)) return err(failure('D_EXISTS', `there is a pool ${definition.name} already`));
  for (const pool of host.pools.values()) {
    if (sameStorage(pool, definition)) {
      return err(failure('D_EXISTS', `pool ${pool.name} already uses this storage`));
    }
  }
  const builder = planBuilder(context.position);
  builder.fact({ type: 'PoolAdded', pool: definition.name, definition });
  return ok({ plan: builder.build(), holds: [holdName(`pool ${definition.name}`)] });
};

export const decideRemovePool = (host: Host, { name }: RemovePool, context: Context): Decision => {
  if (!host.pools.has(name))
    return err(failure('D_NOT_FOUND', `there is no pool ${name}`, { next: 'domtrail pool list' }));
  for (const vm of host.vms.values()) {
    const user = Object.values(vm.volumes).find((volume) => volume.spec.pool === name);
    if (user) return err(failure('D_IN_USE', `pool ${name} holds ${user.spec.key}`));
  }
  for (const trash of host.trash.values()) {
    if (trash.place.pool === name) {
      return err(failure('D_IN_USE', `pool ${name} holds trash of ${trash.from}`, { next: 'domtrail gc --all --yes' }));
    }
  }
  for (const [property, value] of Object.entries(host.site?.properties ?? {})) {
    if (property.startsWith('default_pool') && value === name) {
      return err(failure('D_IN_USE', `pool ${name} is the global ${property}`));
    }
  }
  const builder = planBuilder(context.position);
  builder.fact({ type: 'PoolRemoved', pool: name });
  return ok({ plan: builder.build(), holds: [holdName(`pool ${name}`)] });
};

export const decideSetReserve = (host: Host, { name, reserve }: SetPoolReserve, context: Context): Decision => {
  const pool = host.pools.get(name);
  if (!pool) return err(failure('D_NOT_FOUND', `there is no pool ${name}`, { next: 'domtrail pool list' }));
  if (pool.driver === 'linux-kernel') return err(failure('D_DRIVER_REFUSES', `nothing is written to pool ${name}`));
  const before = pool.reserve ?? null;
  const builder = planBuilder(context.position);
  if (before?.data !== reserve?.data || before?.metadata !== reserve?.metadata) {
    builder.fact({ type: 'PoolReserveSet', pool: name, reserve, before });
  }
  return ok({ plan: builder.build(), holds: [holdName(`pool ${name}`)] });
};

const note = (host: Host, fact: PoolFact, context: Context): Decision => {
  if (!host.pools.has(fact.pool as Pool['name'])) return err(failure('D_NOT_FOUND', `there is no pool ${fact.pool}`));
  const builder = planBuilder(context.position);
  builder.fact(fact);
  return ok({ plan: builder.build(), holds: [] });
};

export const decidePoolWound = (host: Host, { pool, wound }: RecordPoolWound, context: Context): Decision =>
  note(host, { type: 'PoolWounded', pool, wound: wound as PoolWound }, context);

export const decidePoolMended = (host: Host, { pool, wound, evidence }: RecordPoolMended, context: Context): Decision =>
  note(host, { type: 'PoolMended', pool, wound: wound as PoolWound, evidence }, context);
