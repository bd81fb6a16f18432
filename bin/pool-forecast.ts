import { counted } from '../domain/counted.ts';
import type { SeenThen } from '../infrastructure/ledger/tallies.ts';
import { type Forecast, watchPools } from '../projections/stats/pool-trend.ts';
import type { SeenPool } from './pools-seen.ts';

const DAY = 86_400_000;

/** `30 hours`, `9 days`, `7 months`: as exact as a forecast may claim to be. */
const aboutText = (ms: number): string => {
  if (ms < 2 * DAY) return counted(Math.max(1, Math.round(ms / 3_600_000)), 'hour');
  if (ms < 90 * DAY) return counted(Math.round(ms / DAY), 'day');
  return counted(Math.round(ms / (30.4 * DAY)), 'month');
};

/** `full in about 9 days`. */
export const forecastText = ({ of, at }: Forecast, from: number): string => {
  const what = of === 'metadata' ? 'metadata full' : 'full';
  return at <= from ? `${what} now` : `${what} in about ${aboutText(at - from)}`;
};

/** Of the pools seen now, from what commands saw of them before (epoch milliseconds); only those that will be full one day. */
export const forecastsOf = (
  then: readonly SeenThen[],
  seen: readonly SeenPool[],
  now: number,
): ReadonlyMap<string, Forecast> => {
  const watch = watchPools({ from: now, to: now, parts: 1 });
  const names = new Set<string>(seen.map(({ pool }) => pool.name));
  for (const { time, pools } of then) {
    for (const one of pools) if (names.has(one.pool)) watch.look(one.pool, { ...one, time });
  }
  for (const { pool, usage } of seen) watch.look(pool.name, { ...usage, time: now });
  return new Map(watch.trends().flatMap(({ pool, forecast }) => (forecast ? [[pool, forecast] as const] : [])));
};
