import type { Place } from '../../domain/disk.ts';
import type { BoundDeed } from './driver.port.ts';

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
