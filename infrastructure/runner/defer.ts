import type { Plan, Step } from '../../domain/steps.ts';
import type { Pools } from './pools.ts';

const isSlow = async ({ deed }: Step, pools: Pools): Promise<boolean> => {
  if (deed.do !== 'erase' || !('id' in deed.disk)) return false;
  const pool = pools.get(deed.at.pool);
  if (!pool.ok || !pool.value.driver.erasesSlowly) return false;
  const look = await pool.value.looks.now();
  const disk = look.ok ? look.value.byId.get(deed.disk.id) : undefined;
  return disk !== undefined && pool.value.driver.erasesSlowly(disk);
};

/**
 * The tidying that nobody who stops a VM should have to wait for: disks so large that erasing them takes long. They are in
 * the trash by then, and `gc` erases them when there is time. Other commands do their own tidying.
 */
export const deferred = async (plan: Plan, cleanup: readonly Step[], pools: Pools): Promise<ReadonlySet<number>> => {
  const slow = new Set<number>();
  if (!plan.main.some(({ deed }) => deed.do === 'stopDomain')) return slow;
  for (const step of cleanup) if (await isSlow(step, pools)) slow.add(step.n);
  return slow;
};
