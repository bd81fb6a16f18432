import type { Operation } from '../../domain/command/operation.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Step } from '../../domain/steps.ts';
import type { Hands } from './perform.ts';

type Making = Extract<Step['deed'], { do: 'create' | 'snapshot' }>;

/** Removes the disk a step left without valid content. One with content means that the step did happen: nothing to scrap. */
const scrapOf = async (
  { command }: Operation,
  { n, deed }: Step & { readonly deed: Making },
  hands: Hands,
): Promise<Failure | null> => {
  const pool = hands.pools.get(deed.at.pool);
  if (!pool.ok) return pool.error;
  const { driver, looks } = pool.value;
  const look = await looks.now();
  if (!look.ok) return look.error;
  const there = look.value.byName.get(driver.nameOf(deed.at));
  if (there?.madeBy?.command !== command || there.madeBy.step !== n) return null;
  if (there.usable) return failure('D_STEP_FAILED', `${there.name} was made after all: recovery goes on from there`);
  const job = { command, step: n, deed: { do: 'activate', disk: there.id, at: deed.at } } as const;
  const scrapped = await looks.during(() => driver.scrap(there, job));
  return scrapped.failure;
};

/**
 * Before a command is given up: a step that failed or died half way may have left a disk that no record tells of (LVM's
 * phantom), which the way back, made from the records, would leave behind. Fails when something is there that cannot be
 * scrapped.
 */
export const scrapUnrecorded = async (operation: Operation, hands: Hands): Promise<Result<null, Failure>> => {
  for (const step of operation.plan.main) {
    const { deed } = step;
    if (step.n in operation.done || (deed.do !== 'create' && deed.do !== 'snapshot')) continue;
    const failed = await scrapOf(operation, { ...step, deed }, hands);
    if (failed) return err(failed);
  }
  return ok(null);
};
