import { type Failure, failure } from './failure.ts';
import { err, ok, type Result } from './result.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 };

/** dm-thin and the file layouts count in sectors: every size is a multiple of this. */
const SECTOR = 512;

export const roundUpToSector = (bytes: number): number => Math.ceil(bytes / SECTOR) * SECTOR;

/** `10G`, `10GiB`, `1024`: binary units, whole bytes, at most 2^53 - 1. */
export const parseBytes = (text: string): Result<number, Failure> => {
  const match = /^([0-9]{1,16})([KMGTP]?)(?:iB|B)?$/.exec(text);
  const bytes = match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    return err(
      failure('D_BAD_INPUT', `size ${JSON.stringify(text.slice(0, 60))} is not valid: write bytes or 10G, 512MiB`),
    );
  }
  return ok(bytes);
};

/** `2.0 GiB`: for tables and sentences, never for machines. */
export const formatBytes = (bytes: number): string => {
  let value = bytes;
  let unit = 'B';
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return unit === 'B' ? `${value} B` : `${value.toFixed(1)} ${unit}`;
};
