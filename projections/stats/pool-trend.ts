/** One look at a pool: epoch milliseconds and bytes. */
export type Look = {
  readonly time: number;
  readonly bytes: number;
  readonly usedBytes: number;
  readonly metadataBytes: number | null;
  readonly metadataUsedBytes: number | null;
};

/** When a pool will be full if it goes on like this. `left` and `perDay` in bytes, `at` in epoch milliseconds. */
export type Forecast = {
  readonly of: 'data' | 'metadata';
  readonly perDay: number;
  readonly left: number;
  readonly at: number;
};

/** `pool` from its first to its last look. `history`: the last look of each of equal stretches of the span, null where there was none yet. */
export type PoolTrend = {
  readonly pool: string;
  readonly looks: number;
  readonly first: Look;
  readonly last: Look;
  /** bytes of data a day, by the looks of the last two weeks; null for too few of them */
  readonly perDay: number | null;
  /** the first of data and metadata that will be full; null where nothing grows, or nobody could tell */
  readonly forecast: Forecast | null;
  readonly history: readonly (Look | null)[];
};

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** What was long ago says little about the coming days. */
const RECENT = 14 * DAY;
const FEWEST_LOOKS = 3;
const SHORTEST = HOUR;
/** What is further away than that is no forecast any more. */
const FARTHEST = 1000 * DAY;

/** Sums for a straight line through points: nothing but these is kept of them. */
type Line = { n: number; x: number; y: number; xx: number; xy: number; from: number; to: number };

const emptyLine = (): Line => ({
  n: 0,
  x: 0,
  y: 0,
  xx: 0,
  xy: 0,
  from: Number.POSITIVE_INFINITY,
  to: Number.NEGATIVE_INFINITY,
});

const add = (line: Line, time: number, origin: number, y: number): void => {
  const x = (time - origin) / DAY;
  line.n++;
  line.x += x;
  line.y += y;
  line.xx += x * x;
  line.xy += x * y;
  line.from = Math.min(line.from, time);
  line.to = Math.max(line.to, time);
};

const tells = ({ n, from, to }: Line): boolean => n >= FEWEST_LOOKS && to - from >= SHORTEST;

/** Bytes a day by least squares; null where there are too few points or they lie too close together. */
const slopeOf = (line: Line): number | null => {
  const { n, x, y, xx, xy } = line;
  const spread = n * xx - x * x;
  return tells(line) && spread > 0 ? (n * xy - x * y) / spread : null;
};

type Lines = { readonly recent: Line; readonly all: Line };

const addTo = ({ recent, all }: Lines, time: number, to: number, y: number): void => {
  add(all, time, to, y);
  if (time > to - RECENT) add(recent, time, to, y);
};

const slopeIn = ({ recent, all }: Lines): number | null => slopeOf(tells(recent) ? recent : all);

type Following = {
  looks: number;
  readonly first: Look;
  last: Look;
  readonly data: Lines;
  readonly metadata: Lines;
  readonly history: (Look | null)[];
};

export type TrendSpan = { readonly from: number; readonly to: number; readonly parts: number };

const linesOf = (): Lines => ({ recent: emptyLine(), all: emptyLine() });

/** One point an hour: a burst of commands must not outweigh a quiet week. */
const settleHour = ({ last, data, metadata }: Following, to: number): void => {
  addTo(data, last.time, to, last.usedBytes);
  if (last.metadataUsedBytes !== null) addTo(metadata, last.time, to, last.metadataUsedBytes);
};

const partOf = (time: number, { from, to, parts }: TrendSpan): number =>
  Math.max(0, Math.min(parts - 1, Math.floor(((time - from) / Math.max(1, to - from)) * parts)));

const ahead = (of: Forecast['of'], perDay: number | null, room: readonly [all: number, used: number], last: number) => {
  const left = Math.max(0, room[0] - room[1]);
  const days = perDay !== null && perDay > 0 ? left / perDay : Number.POSITIVE_INFINITY;
  return days * DAY > FARTHEST || perDay === null
    ? []
    : [{ of, perDay: Math.round(perDay), left, at: last + days * DAY }];
};

const forecastOf = ({ last, data, metadata }: Following): Forecast | null => {
  const { bytes, usedBytes, metadataBytes, metadataUsedBytes, time } = last;
  const both = [
    ...ahead('data', slopeIn(data), [bytes, usedBytes], time),
    ...(metadataBytes === null || metadataUsedBytes === null
      ? []
      : ahead('metadata', slopeIn(metadata), [metadataBytes, metadataUsedBytes], time)),
  ];
  return both.sort((a, b) => a.at - b.at)[0] ?? null;
};

/** Follows the looks at pools, oldest first, and keeps a bounded part of them. */
export type PoolWatch = {
  readonly look: (pool: string, look: Look) => void;
  readonly trends: () => readonly PoolTrend[];
};

export const watchPools = (span: TrendSpan): PoolWatch => {
  const pools = new Map<string, Following>();
  const hourOf = (time: number): number => Math.floor(time / HOUR);
  const follow = (pool: string, look: Look): Following => {
    const known = pools.get(pool);
    if (known) {
      if (hourOf(known.last.time) !== hourOf(look.time)) settleHour(known, span.to);
      return known;
    }
    const history = Array.from({ length: span.parts }, () => null);
    const fresh = { looks: 0, first: look, last: look, data: linesOf(), metadata: linesOf(), history };
    pools.set(pool, fresh);
    return fresh;
  };
  return {
    look: (pool, look) => {
      const one = follow(pool, look);
      one.looks++;
      one.last = look;
      one.history[partOf(look.time, span)] = look;
    },
    trends: () =>
      [...pools].map(([pool, one]) => {
        settleHour(one, span.to);
        const { looks, first, last, history } = one;
        return { pool, looks, first, last, perDay: slopeIn(one.data), forecast: forecastOf(one), history };
      }),
  };
};
