/**
 * How often which duration came, in steps of five percent: a million of them take no more room than a few, and what it gives
 * back is at most that far off. Milliseconds.
 */
export type Histogram = {
  readonly counts: Map<number, number>;
  count: number;
  max: number;
};

const STEP = Math.log(1.05);

export const emptyHistogram = (): Histogram => ({ counts: new Map(), count: 0, max: 0 });

/** 0 for less than a millisecond, and for clocks that were set back. */
const stepOf = (ms: number): number => (ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / STEP));

const middleOf = (step: number): number => (step === 0 ? 0 : Math.exp((step - 0.5) * STEP));

export const count = (histogram: Histogram, ms: number): void => {
  const step = stepOf(ms);
  histogram.counts.set(step, (histogram.counts.get(step) ?? 0) + 1);
  histogram.count++;
  histogram.max = Math.max(histogram.max, ms);
};

/** The duration that so large a part of all (0 to 1) stayed below; null without any. */
export const percentile = ({ counts, count: all, max }: Histogram, part: number): number | null => {
  if (all === 0) return null;
  let seen = 0;
  for (const [step, times] of [...counts].sort(([a], [b]) => a - b)) {
    seen += times;
    if (seen >= part * all) return Math.min(max, Math.round(middleOf(step)));
  }
  return max;
};
