import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deviceFacts,
  kernelTransactionId,
  type LvRow,
  parseReport,
  poolReport,
  sightingsOf,
  usageOf,
} from '../../../infrastructure/drivers/lvm-thin/report.ts';

const POOL = { volumeGroup: 'vg', thinPool: 'pool' };

const VOLUME = {
  lv_uuid: 'tVHDzQ-3bAe-JQ5A-Vtmf-0oHm-oZyf-gAJZ0e',
  lv_name: 'vm-a-private',
  pool_lv: 'pool',
  segtype: 'thin',
  lv_size: '67108864',
  data_percent: '12.50',
  lv_metadata_size: '',
  metadata_percent: '',
  lv_attr: 'Vwi-a-t---',
  lv_device_open: '',
  origin_uuid: '',
  lv_tags: 'domtrail,dt.cmd=c1,dt.step=3',
  thin_id: '1',
  transaction_id: '0',
};

const THIN_POOL = {
  ...VOLUME,
  lv_uuid: 'P',
  lv_name: 'pool',
  pool_lv: '',
  segtype: 'thin-pool',
  lv_size: '524288000',
  data_percent: '50.00',
  lv_metadata_size: '4194304',
  metadata_percent: '10.00',
  lv_attr: 'twi-aot---',
  lv_tags: '',
  thin_id: '',
  transaction_id: '1',
};

const documentOf = (...rows: readonly object[]): string => JSON.stringify({ report: [{ lv: rows }] });

const rowsOf = (...rows: readonly object[]): readonly LvRow[] => {
  const parsed = parseReport(documentOf(...rows));
  if (!parsed.ok) throw new Error(parsed.error.cause);
  return parsed.value;
};

const sights = (kernelId: number | null, ...rows: readonly object[]) => {
  const report = poolReport(rowsOf(THIN_POOL, ...rows), POOL);
  if (!report.ok) throw new Error(report.error.message);
  return sightingsOf(report.value, POOL, kernelId);
};

describe('a report of lvs', () => {
  test('shows each thin volume of the pool with what identifies it', () => {
    expect(sights(null, VOLUME)).toEqual([
      {
        id: VOLUME.lv_uuid,
        name: 'vg/vm-a-private',
        bytes: 67_108_864,
        usedBytes: 8_388_608,
        madeBy: { command: 'c1', step: 3 },
        origin: null,
        usable: true,
        active: true,
        open: false,
      },
    ]);
  });

  test('leaves out other pools and volumes that are not thin', () => {
    const linear = { ...VOLUME, lv_name: 'home', pool_lv: '', segtype: 'linear', transaction_id: '' };
    const elsewhere = { ...VOLUME, lv_name: 'x', pool_lv: 'other' };
    expect(sights(null, linear, elsewhere)).toEqual([]);
  });

  test('tells nothing of a maker when the tags are not all there, or too many', () => {
    const makers = ['', 'dt.cmd=c1,dt.step=3', 'domtrail,dt.cmd=c1', 'domtrail,dt.cmd=a,dt.cmd=b,dt.step=1'].map(
      (lv_tags) => sights(null, { ...VOLUME, lv_tags })[0]?.madeBy,
    );
    expect(makers).toEqual([null, null, null, null]);
  });

  test('an inactive LV is whole unless the kernel was not told to make it', () => {
    const inactive = { ...VOLUME, lv_attr: 'Vwi---t---', data_percent: '' };
    expect(sights(1, inactive)[0]).toMatchObject({ usable: true, active: false, usedBytes: null });
    expect(sights(0, inactive)[0]).toMatchObject({ usable: false, active: false });
  });

  test('only the LV of the latest transaction is taken for a phantom, not the others that are inactive', () => {
    const pool = { ...THIN_POOL, transaction_id: '8' };
    const older = { ...VOLUME, lv_attr: 'Vwi---t---', transaction_id: '6' };
    const newest = { ...older, lv_uuid: 'N', lv_name: 'vm-b-private', transaction_id: '7' };
    const report = poolReport(rowsOf(pool, older, newest), POOL);
    const seen = report.ok ? sightingsOf(report.value, POOL, 7) : [];
    expect(seen.map(({ name, usable }) => [name, usable])).toEqual([
      ['vg/vm-a-private', true],
      ['vg/vm-b-private', false],
    ]);
  });

  test('a removal that waits makes no phantom of what is inactive', () => {
    const pool = { ...THIN_POOL, transaction_id: '8' };
    const report = poolReport(rowsOf(pool, { ...VOLUME, lv_attr: 'Vwi---t---', transaction_id: '6' }), POOL);
    const seen = report.ok ? sightingsOf(report.value, POOL, 7) : [];
    expect(seen[0]?.usable).toBe(true);
  });

  test('gives the use of the pool', () => {
    const report = poolReport(rowsOf(THIN_POOL), POOL);
    expect(report.ok && usageOf(report.value)).toEqual({
      bytes: 524_288_000,
      usedBytes: 262_144_000,
      metadataBytes: 4_194_304,
      metadataUsedBytes: 419_430,
    });
  });

  test('a pool that is missing, or something else, is refused in the words of the stock driver', () => {
    const missing = poolReport(rowsOf(VOLUME), POOL);
    expect(missing.ok ? null : missing.error).toMatchObject({
      code: 'D_NOT_FOUND',
      message: 'Thin pool vg/pool does not exist',
    });
    const linear = poolReport(rowsOf({ ...THIN_POOL, lv_attr: '-wi-a-----', segtype: 'linear' }), POOL);
    expect(linear.ok ? null : linear.error.message).toBe('Volume vg/pool is not a thin pool');
  });

  test.each([
    ['cut off', documentOf(VOLUME).slice(0, -20)],
    ['empty', ''],
    ['of something else', '{"report":[{"vg":[]}]}'],
    ['null', 'null'],
    ['without a UUID', documentOf({ ...VOLUME, lv_uuid: '' })],
    ['with a size that is not a number', documentOf({ ...VOLUME, lv_size: '64.00m' })],
    ['with a size beyond what a number holds', documentOf({ ...VOLUME, lv_size: '9999999999999999' })],
    ['with 900 percent', documentOf({ ...VOLUME, data_percent: '900' })],
    ['with numbers where text belongs', documentOf({ ...VOLUME, lv_name: 5 })],
    ['with an endless field', documentOf({ ...VOLUME, lv_tags: 'x'.repeat(70_000) })],
  ])('that is %s is a failure, never a shorter list', (_, text) => {
    const parsed = parseReport(text);
    expect(parsed.ok ? null : parsed.error.code).toBe('D_POOL_UNSEEN');
  });

  test('never throws, whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseReport(text);
      }),
    );
    fc.assert(
      fc.property(
        fc.record({ lv: fc.array(fc.dictionary(fc.constantFrom(...Object.keys(VOLUME)), fc.anything())) }),
        (one) => {
          expect(parseReport(JSON.stringify({ report: [one] })).ok).toBe(one.lv.length === 0);
        },
      ),
    );
  });
});

describe('what dmsetup says', () => {
  test('the transaction id of a pool', () => {
    expect(kernelTransactionId('0 1024000 thin-pool 17 12/1024 3/8000 - rw discard_passdown - 1024 \n')).toBe(17);
    expect(kernelTransactionId('0 1024000 thin-pool Fail\n')).toBeNull();
    expect(kernelTransactionId('')).toBeNull();
  });

  test('the LV behind a device and how many have it open', () => {
    const group = 'V'.repeat(32);
    const lv = 'L'.repeat(32);
    expect(deviceFacts(`LVM-${group}${lv} 2\n`)).toEqual({ uuid: lv, open: 2 });
    expect(deviceFacts(`CRYPT-PLAIN-x 1\n`)).toBeNull();
    expect(deviceFacts('')).toBeNull();
  });
});
