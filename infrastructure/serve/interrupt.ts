import type { Fault } from '../fault.ts';

/** Thrown between two steps when we are told to end; what is unfinished is taken up again like after a crash. */
export class Interrupted extends Error {
  constructor() {
    super('told to end between two steps');
  }
}

/** Lets a step that is under way be recorded, and no other begin, once `signal` is aborted. */
export const endingAt = (signal: AbortSignal, fault: Fault): Fault => ({
  armed: fault.armed,
  reach: (point) => {
    if (point === 'before-step' && signal.aborted) throw new Interrupted();
    fault.reach(point);
  },
});
