import { stat } from 'node:fs/promises';
import type { PoolName } from '../../domain/names.ts';
import { takesFrom } from '../../domain/pool/demand.ts';
import type { PoolUsage, SeenUsage } from '../../domain/pool/usage.ts';
import type { ContentSource, Plan } from '../../domain/steps.ts';
import type { Pools } from '../runner/pools.ts';

const SECTOR = 512;

/** From the survey that the steps begin with, where that tells; a pool that cannot be seen is theirs to report. */
const usageOf = async (name: PoolName, pools: Pools): Promise<PoolUsage | null> => {
  const hands = pools.get(name);
  if (!hands.ok) return null;
  const { driver, looks } = hands.value;
  if (driver.seenUsage && !(await looks.now()).ok) return null;
  const seen = driver.seenUsage?.();
  if (seen) return seen;
  const usage = await driver.usage();
  return usage.ok ? usage.value : null;
};

/** Bytes of data in a source, and the key it goes by; null where nobody can tell, or the step will. */
const dataIn = async (from: ContentSource, pools: Pools): Promise<readonly [string, number] | null> => {
  if (from.kind === 'file') {
    const stats = await stat(from.path).catch(() => null);
    return stats ? [from.path, stats.blocks * SECTOR] : null;
  }
  if (from.kind !== 'disk' || !('id' in from.disk)) return null;
  const hands = pools.get(from.at.pool);
  const look = hands.ok ? await hands.value.looks.now() : null;
  const bytes = look?.ok ? look.value.byId.get(from.disk.id)?.usedBytes : null;
  return typeof bytes === 'number' ? [from.disk.id, bytes] : null;
};

/** What a decision has to know about the pools its plan takes space from; null for a plan that takes none. */
export const usageFor = async ({ main }: Plan, pools: Pools): Promise<SeenUsage | null> => {
  const names = new Set(main.flatMap(({ deed }) => takesFrom(deed) ?? []));
  if (names.size === 0) return null;
  const seen: SeenUsage['pools'][number][] = [];
  for (const pool of names) {
    const usage = await usageOf(pool, pools);
    if (usage) seen.push({ pool, ...usage });
  }
  const data: Record<string, number> = {};
  for (const { deed } of main) {
    const found = deed.do === 'fill' ? await dataIn(deed.from, pools) : null;
    if (found) data[found[0]] = found[1];
  }
  return { pools: seen, data };
};
