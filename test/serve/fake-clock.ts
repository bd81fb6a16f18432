import type { Clock } from '../../infrastructure/serve/clock.port.ts';

type Timer = { readonly at: number; readonly ring: () => void };

/** A clock that stands still until it is told otherwise. What passes and what it says are two things. */
export type FakeClock = Clock & {
  /** So many milliseconds pass; what rings on the way has settled before time goes on. */
  readonly pass: (ms: number) => Promise<void>;
  /** The wall clock is set, forwards or backwards; nothing has passed. */
  readonly step: (ms: number) => void;
  /** Timers that have not rung. */
  readonly waiting: () => number;
};

export const fakeClock = (start: number, settled: () => Promise<void> = async () => undefined): FakeClock => {
  let passed = 0;
  let offset = start;
  const timers = new Set<Timer>();
  const next = (until: number): Timer | null =>
    [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0] ?? null;
  return {
    now: () => passed + offset,
    after: (ms, ring) => {
      const timer = { at: passed + ms, ring };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass: async (ms) => {
      const until = passed + ms;
      for (let timer = next(until); timer; timer = next(until)) {
        passed = Math.max(passed, timer.at);
        timers.delete(timer);
        timer.ring();
        await settled();
      }
      passed = until;
      await settled();
    },
    step: (ms) => {
      offset += ms;
    },
    waiting: () => timers.size,
  };
};
