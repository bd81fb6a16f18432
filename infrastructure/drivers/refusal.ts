import { type Failure, failure } from '../../domain/failure.ts';
import { parseCommandId } from '../../domain/names.ts';
import type { Job } from './driver.port.ts';
import { placesOf } from './places.ts';

/**
 * What no driver carries out, whatever its pool is made of: a job of no command, and a disk snapshotted or moved to the
 * place where it lies, which would be told as done although nothing was. D_INPUT, D_DRIVER_REFUSES.
 */
export const refusedAnywhere = ({ command, deed }: Job): Failure | null => {
  const id = parseCommandId(command);
  if (!id.ok) return id.error;
  const [first, second] = placesOf(deed).map(({ pool, vid, role }) => JSON.stringify([pool, vid, role]));
  return first === second ? failure('D_DRIVER_REFUSES', `a ${deed.do} leads from ${first} to itself`) : null;
};
