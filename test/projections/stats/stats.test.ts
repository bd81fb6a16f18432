import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forecastsOf, forecastText } from '../../../bin/pool-forecast.ts';
import { count, emptyHistogram, percentile } from '../../../projections/stats/histogram.ts';
import { type Look, watchPools } from '../../../projections/stats/pool-trend.ts';
import { kindCounter, stepKind } from '../../../projections/stats/stats.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 2 ** 30;

const look = (time: number, used: number, more: Partial<Look> = {}): Look => ({
  time,
  bytes: 100 * GIB,
  usedBytes: used * GIB,
  metadataBytes: null,
  metadataUsedBytes: null,
  ...more,
});

const trendOf = (looks: readonly Look[], to = 100 * DAY) => {
  const watch = watchPools({ from: 0, to, parts: 10 });
  for (const one of looks) watch.look('vm-pool', one);
  const [trend] = watch.trends();
  if (!trend) throw new Error('no trend');
  return trend;
};

describe('a percentile', () => {
  test('is within five percent of the exact one, whatever came', () => {
    const part = fc.constantFrom(0.5, 0.95, 0.99, 1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1 }), part, (all, wanted) => {
        const histogram = emptyHistogram();
        for (const ms of all) count(histogram, ms);
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(wanted * all.length) - 1] ?? Number.NaN;
        const told = percentile(histogram, wanted) ?? Number.NaN;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(Math.max(1, exact * 0.05));
      }),
    );
  });

  test('of nothing is none, and a clock that was set back counts as no time', () => {
    expect(percentile(emptyHistogram(), 0.5)).toBeNull();
    const kinds = kindCounter();
    kinds.add('StartVM', false, -5000);
    expect(kinds.kinds()).toMatchObject([{ count: 1, failed: 0, p50Ms: 0 }]);
  });

  test('is taken of what came to its end only; the rest is counted', () => {
    const kinds = kindCounter();
    kinds.add('move', true, null);
    kinds.add('move', false, 40);
    kinds.add('erase', true, null);
    expect(kinds.kinds()).toMatchObject([
      { name: 'move', count: 2, failed: 1, p50Ms: 40, maxMs: 40 },
      { name: 'erase', count: 1, failed: 1, p50Ms: null, maxMs: null },
    ]);
    expect(stepKind('snapshot current -> session')).toBe('snapshot');
  });
});

describe('the forecast of a pool', () => {
  test('goes on in a straight line from the last look', () => {
    const trend = trendOf(Array.from({ length: 11 }, (_, day) => look((90 + day) * DAY, 50 + day)));
    expect(trend.perDay).toBeCloseTo(GIB, -4);
    expect(trend.forecast?.of).toBe('data');
    expect(trend.forecast?.at).toBeCloseTo(140 * DAY, -7);
  });

  test('is by the last two weeks where they say enough, else by all there is', () => {
    const quiet = Array.from({ length: 80 }, (_, day) => look(day * DAY, 50));
    const busy = Array.from({ length: 10 }, (_, day) => look((90 + day) * DAY, 51 + 2 * day));
    expect(trendOf([...quiet, ...busy]).perDay).toBeCloseTo(2 * GIB, -4);
    expect(trendOf([...quiet, ...busy], 200 * DAY).perDay).toBeLessThan(GIB);
  });

  test('is of the metadata where that is full first', () => {
    const days = Array.from({ length: 10 }, (_, day) =>
      look((90 + day) * DAY, 50 + day, { metadataBytes: GIB, metadataUsedBytes: GIB * (0.5 + day / 25) }),
    );
    expect(trendOf(days).forecast).toMatchObject({ of: 'metadata' });
  });

  test('is not made from too few looks, nor for a pool that empties or grows by a hair', () => {
    expect(trendOf([look(0, 10), look(DAY, 20)])).toMatchObject({ perDay: null, forecast: null, looks: 2 });
    expect(trendOf([look(0, 10), look(1, 20), look(2, 30), look(3, 40)]).perDay).toBeNull();
    const emptying = Array.from({ length: 10 }, (_, day) => look((90 + day) * DAY, 50 - day));
    expect(trendOf(emptying)).toMatchObject({ forecast: null });
    expect(trendOf(emptying).perDay).toBeLessThan(0);
    const hair = Array.from({ length: 10 }, (_, day) => look((90 + day) * DAY, 50 + day / 1000));
    expect(trendOf(hair).forecast).toBeNull();
  });

  test('weighs an hour full of commands like one look', () => {
    const burst = Array.from({ length: 1000 }, (_, n) => look(95 * DAY + n, 10));
    const days = [50, 51, 52, 53, 54].map((used, day) => look((90 + day) * DAY, used));
    const after = [56, 57, 58].map((used, day) => look((96 + day) * DAY, used));
    const single = trendOf([...days, look(95 * DAY + 999, 10), ...after]);
    expect(trendOf([...days, ...burst, ...after]).perDay).toBeCloseTo(single.perDay ?? 0, 0);
  });

  test('comes with the last look of each stretch', () => {
    const { history } = trendOf([look(1, 10), look(2, 20), look(55 * DAY, 30), look(100 * DAY, 40)]);
    const used = history.map((one) => one && one.usedBytes / GIB);
    expect(used).toEqual([20, null, null, null, null, 30, null, null, null, 40]);
  });
});

test('status tells in words when a pool is full, of the pools it sees', () => {
  const pool = { name: 'lvm' } as never;
  const now = 100 * DAY;
  const then = Array.from({ length: 10 }, (_, day) => ({
    time: (90 + day) * DAY,
    position: day,
    pools: ['lvm', 'gone'].map((name) => ({ ...look(0, 50 + day), pool: name as never })),
  }));
  const forecasts = forecastsOf(then, [{ pool, usage: look(0, 60) }], now);
  expect([...forecasts.keys()]).toEqual(['lvm']);
  const [forecast] = forecasts.values();
  expect(forecast && forecastText(forecast, now)).toBe('full in about 40 days');
  expect(forecast && forecastText({ ...forecast, of: 'metadata', at: now + 5 * HOUR }, now)).toBe(
    'metadata full in about 5 hours',
  );
  expect(forecast && forecastText({ ...forecast, at: now - 1 }, now)).toBe('full now');
});
