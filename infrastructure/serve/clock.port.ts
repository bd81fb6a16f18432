/** The wall clock, and a way to be woken later: all that `serve` knows of time. */
export type Clock = {
  /** epoch milliseconds; may be set, forwards and backwards */
  readonly now: () => number;
  /** Calls `ring` after so many milliseconds, however the wall clock is set meanwhile. Gives the way to call it off. */
  readonly after: (ms: number, ring: () => void) => () => void;
};

export const systemClock: Clock = {
  now: Date.now,
  after: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
};
