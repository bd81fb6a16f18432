import type { Place } from '../../domain/disk.ts';
import { failure } from '../../domain/failure.ts';
import { err, ok } from '../../domain/result.ts';
import type { VolumeDriver } from './driver.port.ts';

/** A pool that is kept as it was adopted: nothing is looked at or done in it, and no name of a disk is ever made. */
export const refusingDriver = (why: string): VolumeDriver => {
  const refused = failure('D_DRIVER_REFUSES', why);
  const acted = { evidence: { argv: [], exitCode: null, stderr: '', durationMs: 0 }, failure: refused };
  const nameOf = ({ pool, vid }: Place): string => `${pool} ${vid}`;
  return {
    nameOf,
    parseName: () => null,
    pathOf: nameOf,
    survey: async () => ok([]),
    act: async () => acted,
    scrap: async () => acted,
    examine: async () => ok([]),
    mend: async () => acted,
    settle: async () => undefined,
    prepare: async () => err(refused),
    usage: async () => err(refused),
  };
};
