import { type Failure, failure } from '../../../domain/failure.ts';
import { parseCommandId } from '../../../domain/names.ts';
import type { Job } from '../driver.port.ts';
import { placesOf } from '../places.ts';
import { isVid } from './names.ts';

/** The last line of defence: all of it ends up in command lines, and only trash may ever be erased. */
export const refusalOf = ({ command, deed }: Job, volumeGroup: string): Failure | null => {
  const id = parseCommandId(command);
  if (!id.ok) return id.error;
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
