import { setTimeout as sleep } from 'node:timers/promises';
import { type Failure, failure } from '../../domain/failure.ts';
import type { Image } from '../drivers/image.ts';

/** Work that was stopped from outside, with the reason as a failure. */
export class Stopped extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.failure = reason;
  }
}

const interrupted = (): Stopped => new Stopped(failure('D_INTERRUPTED', 'it was interrupted'));

const stalled = (ms: number): Stopped =>
  new Stopped(failure('D_STALLED', `nothing moved for ${Math.round(ms / 1000)} seconds`));

/** Ends work that nobody wants any more, and work in which nothing moves. */
export type Watch = {
  /** Something moved. Throws when the work is to end. */
  readonly tick: () => void;
  /** aborted when the work is to end, for programs that take part in it */
  readonly signal: AbortSignal;
  /** Waits for the work, but not for work that hangs. Rejects with `Stopped`. */
  readonly over: <T>(work: Promise<T>) => Promise<T>;
};

/** What is stopped gets so long to end by itself. */
const GRACE_MS = 3000;

const CHECK_MS = 200;

const settled = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );

/** `stallMs`: how long nothing may move; 0 is for ever. */
export const watchOf = (signal: AbortSignal, stallMs: number): Watch => {
  let moved = performance.now();
  let why: Stopped | null = null;
  const controller = new AbortController();
  const reason = (): Stopped | null => {
    if (signal.aborted) why ??= interrupted();
    else if (stallMs > 0 && performance.now() - moved > stallMs) why ??= stalled(stallMs);
    return why;
  };
  return {
    signal: controller.signal,
    tick: () => {
      const now = reason();
      if (now) throw now;
      moved = performance.now();
    },
    over: async (work) => {
      let timer: NodeJS.Timeout | undefined;
      const stop = new Promise<never>((_resolve, reject) => {
        timer = setInterval(() => {
          const now = reason();
          if (now) reject(now);
        }, CHECK_MS);
      });
      try {
        return await Promise.race([work, stop]);
      } catch (error) {
        controller.abort();
        await Promise.race([settled(work), sleep(GRACE_MS, undefined, { ref: false })]);
        // A program that got the same Ctrl-C may fail before we hear of it.
        await sleep(CHECK_MS);
        throw signal.aborted ? interrupted() : error;
      } finally {
        clearInterval(timer);
      }
    },
  };
};

/** The same image, of which each piece that is read counts as a move. */
export const watched = (image: Image, tick: () => void): Image => ({
  ...image,
  open: async () => {
    const opened = await image.open();
    return {
      close: opened.close,
      read: async function* (range) {
        for await (const piece of opened.read(range)) {
          tick();
          yield piece;
        }
      },
    };
  },
});
