import { isArchive } from '../../domain/backup/archive.ts';
import type { Operation } from '../../domain/command/operation.ts';
import type { Command } from '../../domain/decide.ts';
import { stepsOf } from '../../domain/decision.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { type PoolWound, wordsOfMending, wordsOfWound } from '../../domain/pool/wound.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isDomainDeed, isKeptDeed, poolOf } from './bind-deed.ts';
import type { PoolHands, Pools } from './pools.ts';
import type { Recovered } from './recover.ts';

export type Mending = {
  readonly pools: Pools;
  /** Records a command that has no steps and gives its id. */
  readonly note: (command: Command) => Result<string, Failure>;
  /** whether LVM's description of a volume group may be written anew; without it that is only told */
  readonly rewrites: boolean;
};

/** One wound's turn can show the next: a restored volume group may hold a phantom. More than these are a fault of ours. */
const MOST_ROUNDS = 5;

const askFirst = (pool: string, wound: PoolWound): Failure =>
  failure('D_POOL_UNSEEN', `pool ${pool}: ${wordsOfWound(wound)}`, {
    next: 'domtrail recover --yes   (restores the newest whole copy that is on its disk)',
  });

/** The wound is in the log before anything is done about it, and what was done after it. */
const mendOne = async (
  { pool, driver, looks }: PoolHands,
  wound: PoolWound,
  { note, rewrites }: Mending,
): Promise<Result<Recovered, Failure>> => {
  if (wound.is === 'torn' && !rewrites) return err(askFirst(pool.name, wound));
  const noted = note({ name: 'RecordPoolWound', payload: { pool: pool.name, wound } });
  if (!noted.ok) return noted;
  const { evidence, failure: failed } = await looks.during(() => driver.mend(wound, noted.value));
  if (failed) return err(failed);
  const argv = evidence.argv.map((words) => [...words]);
  const mended = note({
    name: 'RecordPoolMended',
    payload: { pool: pool.name, wound, evidence: { ...evidence, argv } },
  });
  if (!mended.ok) return mended;
  const told = [wordsOfWound(wound), wordsOfMending(wound)];
  const base = { command: mended.value, name: `pool ${pool.name} mended`, resumedFrom: 0, steps: [] };
  return ok({ ...base, outcome: 'completed', failure: null, told });
};

const mendPool = async (hands: PoolHands, mending: Mending): Promise<Result<readonly Recovered[], Failure>> => {
  const done: Recovered[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const wounds = await hands.driver.examine();
    if (!wounds.ok) return wounds;
    if (wounds.value.length === 0) return ok(done);
    for (const wound of wounds.value) {
      const one = await mendOne(hands, wound, mending);
      if (!one.ok) return one;
      done.push(one.value);
    }
  }
  const message = `pool ${hands.pool.name} was mended ${MOST_ROUNDS} times and is wounded still`;
  return err(failure('D_POOL_DAMAGED', message, { next: 'docs/failure-modes.md, "A pool that is damaged"' }));
};

/** Whether an unfinished command has to wait until a barred pool can be worked in again. */
export const waits = ({ plan }: Operation, barred: ReadonlyMap<string, Failure>): boolean =>
  stepsOf(plan).some(
    ({ deed }) => !isDomainDeed(deed) && !isKeptDeed(deed) && !isArchive(deed) && barred.has(poolOf(deed)),
  );

/**
 * Examines pools and mends what a crash left wrong with them, before any step runs there. A pool that cannot be seen, or
 * that a person has to look into, is barred: its steps fail with that reason, and other pools work on.
 */
export const mendPools = async (
  names: readonly string[],
  mending: Mending,
): Promise<{ readonly mended: readonly Recovered[]; readonly barred: ReadonlyMap<string, Failure> }> => {
  const mended: Recovered[] = [];
  const barred = new Map<string, Failure>();
  for (const name of names) {
    const hands = mending.pools.get(name);
    if (!hands.ok) continue;
    const ended = await mendPool(hands.value, mending);
    if (ended.ok) mended.push(...ended.value);
    else {
      barred.set(name, ended.error);
      mending.pools.bar(name, ended.error);
    }
  }
  return { mended, barred };
};
