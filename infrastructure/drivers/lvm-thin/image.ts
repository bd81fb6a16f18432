import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import { type Image, imageAt } from '../image.ts';
import type { PoolName } from './argv.ts';
import { devicePathOf } from './names.ts';
import { mappedRanges } from './thin-map.ts';
import { type Lookup, type Settings, theDisk } from './work.ts';

type Pool = { readonly pool: PoolName; readonly lookup: Lookup; readonly settings: Settings };

/**
 * The device of a snapshot that was made to be read. D_DRIFT unless exactly that disk lies there; D_STEP_FAILED where
 * somebody has taken its device away: nothing is activated only to be read.
 */
export const imageOf = async (
  { pool, lookup, settings }: Pool,
  at: Place,
  id: DiskId,
): Promise<Result<Image, Failure>> => {
  const found = await theDisk({ lookup }, at, id);
  if (!found.ok) return found;
  const { name, bytes, active } = found.value;
  if (!active) return err(failure('D_STEP_FAILED', `${name} is not active and cannot be read`));
  const ranges = await mappedRanges(pool, settings, { name, bytes });
  const { image = imageAt } = settings;
  return ranges.ok ? ok(image(devicePathOf(name), bytes, ranges.value)) : ranges;
};
