import { expect, test } from 'vitest';
import type { Role } from '../../domain/disk.ts';
import { scanned } from '../../infrastructure/backup/sparse-tar/scan.ts';
import type { Image } from '../../infrastructure/drivers/image.ts';
import { type DriverBench, LARGE, made, must, mustSee, placeIn, write } from './bench.ts';

const CURRENT: Role = { kind: 'current' };
const PINNED: Role = { kind: 'incoming', position: 9 };

/** What of an image is no zeros, found by reading all of it. */
const dataIn = async (image: Image): Promise<readonly { readonly offset: number; readonly length: number }[]> => {
  const open = await image.open();
  try {
    return await scanned(open.read({ offset: 0, length: image.bytes }));
  } finally {
    await open.close();
  }
};

const textIn = async (image: Image, offset: number, length: number): Promise<string> => {
  const open = await image.open();
  try {
    const pieces: Buffer[] = [];
    for await (const piece of open.read({ offset, length })) pieces.push(piece);
    return Buffer.concat(pieces).toString('latin1');
  } finally {
    await open.close();
  }
};

/** A disk that nobody changes, to be read in pieces. */
export const imageContract = (bench: () => DriverBench): void => {
  test('an image holds what its disk held, and its ranges leave out nothing but zeros', async ({ skip }) => {
    const { driver } = bench();
    if (!driver.image) return skip('the disks of this driver are not read in pieces');
    const from = placeIn(bench(), CURRENT);
    const at = placeIn(bench(), PINNED);
    const { id } = await made(bench(), from, LARGE);
    await write(bench(), from, 100, 'early');
    await write(bench(), from, LARGE - 4, 'late');
    await must(bench(), { do: 'snapshot', of: id, from, at });
    await write(bench(), from, 100, 'other');
    await write(bench(), from, 2 ** 20, 'after the snapshot');
    const pinned = await mustSee(bench(), at);
    // Asked twice: whatever asking takes is given back.
    for (let time = 1; time <= 2; time++) {
      const image = await driver.image(at, pinned.id);
      if (!image.ok) throw new Error(image.error.message);
      expect(image.value.bytes).toBe(LARGE);
      expect(await textIn(image.value, 100, 5)).toBe('early');
      expect(await textIn(image.value, LARGE - 4, 4)).toBe('late');
      const { ranges } = image.value;
      expect(ranges, 'every driver of the contract knows where data lies').not.toBeNull();
      for (const { offset, length } of await dataIn(image.value))
        expect(ranges?.some((range) => range.offset <= offset && offset + length <= range.offset + range.length)).toBe(
          true,
        );
      const covered = ranges?.reduce((sum, { length }) => sum + length, 0) ?? LARGE;
      expect(covered).toBeLessThan(LARGE / 2);
    }
  });
};
