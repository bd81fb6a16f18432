import type { Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { parseCommandId } from '../../../domain/names.ts';
import type { BoundDeed, Job } from '../driver.port.ts';
import { isVid } from './names.ts';

/** The places a deed is about: the disks that lie there are others, or called otherwise, afterwards. */
export const placesOf = (deed: BoundDeed): readonly Place[] => {
  switch (deed.do) {
    case 'snapshot':
      return [deed.from, deed.at];
    case 'move':
      return [deed.from, deed.to];
    default:
      return [deed.at];
  }
};

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
