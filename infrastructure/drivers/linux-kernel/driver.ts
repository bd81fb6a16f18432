import { join } from 'node:path';
import type { Place } from '../../../domain/disk.ts';
import { failure } from '../../../domain/failure.ts';
import type { LinuxKernelPool } from '../../../domain/pool/pool.ts';
import { ok } from '../../../domain/result.ts';
import type { Acted, VolumeDriver } from '../driver.port.ts';

const refused: Acted = {
  evidence: { argv: [], exitCode: null, stderr: '', durationMs: 0 },
  failure: failure('D_DRIVER_REFUSES', 'a linux-kernel pool has no disks to change'),
};

/** The id of a kernel volume is the kernel's version: one directory below the pool's. */
const nameOf = ({ vid }: Place): string => {
  if (vid === '' || vid === '.' || vid === '..' || vid.includes('/') || vid.includes('\0')) {
    throw new Error(`${JSON.stringify(vid)} is not the name of a kernel`);
  }
  return `${vid}/modules.img`;
};

/** Kernels that others installed: read-only images that are found by version and never made, moved or counted. */
export const linuxKernelDriver = ({ dir }: Pick<LinuxKernelPool, 'dir'>): VolumeDriver => ({
  nameOf,
  parseName: () => null,
  pathOf: (place) => join(dir, nameOf(place)),
  survey: async () => ok([]),
  act: async () => refused,
  scrap: async () => refused,
  examine: async () => ok([]),
  mend: async () => refused,
  settle: async () => undefined,
  prepare: async () => ok(null),
  usage: async () => ok({ bytes: 0, usedBytes: 0, metadataBytes: null, metadataUsedBytes: null }),
});
