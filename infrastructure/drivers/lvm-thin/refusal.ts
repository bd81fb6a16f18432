import { type Failure, failure } from '../../../domain/failure.ts';
import type { Job } from '../driver.port.ts';
import { placesOf } from '../places.ts';
import { refusedAnywhere } from '../refusal.ts';
import { isVid } from './names.ts';

/** The last line of defence: all of it ends up in command lines, and only trash may ever be erased. */
export const refusalOf = (job: Job, volumeGroup: string): Failure | null => {
  const refused = refusedAnywhere(job);
  if (refused) return refused;
  const { deed } = job;
  const wrong = placesOf(deed).find(({ vid }) => !isVid(vid) || !vid.startsWith(`${volumeGroup}/`));
  if (wrong) {
    return failure(
      'D_DRIVER_REFUSES',
      `${JSON.stringify(wrong.vid)} cannot be a volume of volume group ${volumeGroup}`,
    );
  }
  if (deed.do === 'erase' && deed.at.role.kind !== 'trash') {
    return failure('D_DRIVER_REFUSES', `${deed.at.vid} is not trash and must not be erased`);
  }
  const sized = deed.do === 'create' || deed.do === 'resize' ? deed.bytes : 1;
  if (Number.isSafeInteger(sized) && sized > 0) return null;
  return failure('D_DRIVER_REFUSES', `${sized} is no size a disk can have`);
};
