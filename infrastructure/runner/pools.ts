import { type Failure, failure } from '../../domain/failure.ts';
import type { PoolName } from '../../domain/names.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { type Looks, looksAt } from './looks.ts';

export type PoolHands = { readonly pool: Pool; readonly driver: VolumeDriver; readonly looks: Looks };

/** The drivers of the host's pools, made when first asked for. */
export type Pools = {
  readonly get: (name: string) => Result<PoolHands, Failure>;
  /** Nothing may run in that pool from now on, for that reason. */
  readonly bar: (name: string, why: Failure) => void;
};

/** `definitions` is asked each time, because a command may have added a pool. */
export const poolsOf = (
  definitions: () => ReadonlyMap<PoolName, Pool>,
  driverFor: (pool: Pool) => VolumeDriver,
): Pools => {
  const hands = new Map<string, PoolHands>();
  const barred = new Map<string, Failure>();
  return {
    bar: (name, why) => barred.set(name, why),
    get: (name) => {
      const why = barred.get(name);
      if (why) return err(why);
      const known = hands.get(name);
      if (known) return ok(known);
      const pool = definitions().get(name as PoolName);
      if (!pool) return err(failure('D_NOT_FOUND', `there is no pool ${name}`));
      const driver = driverFor(pool);
      const made: PoolHands = { pool, driver, looks: looksAt(driver) };
      hands.set(name, made);
      return ok(made);
    },
  };
};
