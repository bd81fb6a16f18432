import { count, emptyHistogram, type Histogram, percentile } from './histogram.ts';

/** Durations in milliseconds, of those that came to their end; null without any. Percentiles are right to five percent. */
type Durations = {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

/** How often there was something of one kind, how often it went wrong, and how long it took. */
export type Kind = Durations & { readonly name: string; readonly count: number; readonly failed: number };

const durationsOf = (histogram: Histogram): Durations => ({
  p50Ms: percentile(histogram, 0.5),
  p95Ms: percentile(histogram, 0.95),
  p99Ms: percentile(histogram, 0.99),
  maxMs: histogram.count === 0 ? null : histogram.max,
});

type Counting = { count: number; failed: number; readonly took: Histogram };

/** Counts things by kind. No more is kept of them than how often and how long. */
export type KindCounter = {
  readonly add: (name: string, failed: boolean, tookMs: number | null) => void;
  /** the most frequent first */
  readonly kinds: () => readonly Kind[];
};

export const kindCounter = (): KindCounter => {
  const kinds = new Map<string, Counting>();
  return {
    add: (name, failed, tookMs) => {
      const known = kinds.get(name) ?? { count: 0, failed: 0, took: emptyHistogram() };
      kinds.set(name, known);
      known.count++;
      if (failed) known.failed++;
      if (tookMs !== null) count(known.took, tookMs);
    },
    kinds: () =>
      [...kinds]
        .map(([name, { count: times, failed, took }]) => ({ name, count: times, failed, ...durationsOf(took) }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
  };
};

/** How often each word came, the most frequent first. */
export const ranked = (
  counts: ReadonlyMap<string, number>,
): readonly { readonly name: string; readonly count: number }[] =>
  [...counts]
    .map(([name, times]) => ({ name, count: times }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));

/** The kind of a step: the first word of what it says it does, `snapshot current -> session`. */
export const stepKind = (words: string): string => words.split(' ', 1)[0] ?? words;
