import { beforeAll, describe, expect, test } from 'vitest';
import { hostDriver, PATIENCE, said } from './host-driver.ts';

const { isThere, why } = hostDriver();

describe.skipIf(!isThere)(`disks that real crashes left, on real LVM${why}`, () => {
  const told = new Map<string, unknown>();
  beforeAll(async () => {
    for (const line of (await said('wounds')).trim().split('\n')) {
      const one = JSON.parse(line) as { readonly of: string; readonly told: unknown };
      told.set(one.of, one.told);
    }
  }, PATIENCE);

  /** A snapshot by hand goes through afterwards: that is what such a pool refused. */
  const mended = (wound: string): unknown => [
    expect.objectContaining({ wound, failure: null }),
    { sound: true },
    { probe: 0 },
  ];

  test('a pool whose kernel is a transaction ahead: one message, and snapshots work again', () => {
    expect(told.get('wedged-pool')).toEqual(mended('wedged'));
  });

  test('a volume group that is not found: restored from the newest whole copy on its disk', () => {
    expect(told.get('torn-vg-metadata')).toEqual(mended('torn'));
  });

  test('recover only says so at first and restores with --yes; not a volume is taken for gone', () => {
    expect(told.get('torn-host')).toEqual({
      asked: { code: 75, text: expect.stringMatching(/D_POOL_UNSEEN.*power cut damaged.*domtrail recover --yes/s) },
      agreed: { code: 0, text: expect.stringMatching(/mended.*restored from the newest whole copy/s) },
    });
  });
});
