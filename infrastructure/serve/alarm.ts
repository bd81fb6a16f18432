import type { Clock } from './clock.port.ts';

/** Rings at an instant of the wall clock, once for each time it is set. */
export type Alarm = {
  /** Epoch milliseconds, null for never. Replaces what was set before. */
  readonly set: (at: number | null) => void;
};

/**
 * Node's timers count what passes, not what the clock says, and end at 24 days: so a long wait is slept in short ones, and
 * after each the clock is read again. A clock that was set past the instant is noticed that late at most.
 */
const LONGEST_SLEEP_MS = 1000;

export const alarmOn = (clock: Clock, ring: () => void): Alarm => {
  let cancel: (() => void) | null = null;
  const sleep = (at: number): void => {
    const left = at - clock.now();
    cancel = clock.after(Math.min(Math.max(0, left), LONGEST_SLEEP_MS), () => {
      cancel = null;
      // A timer may also end a little early.
      if (clock.now() >= at) ring();
      else sleep(at);
    });
  };
  return {
    set: (at) => {
      cancel?.();
      cancel = null;
      if (at !== null) sleep(at);
    },
  };
};
