import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import type { Clock } from './clock.port.ts';
import { Interrupted } from './interrupt.ts';
import type { Reach, Turned } from './turn.ts';

/** One turn after another, and again later what could not be done. */
export type Turns = {
  /** Something is due: a turn is taken as soon as none is under way. */
  readonly ask: (reach: Reach) => void;
  /** Waits for the turn under way; none begins after. */
  readonly end: () => Promise<void>;
  /** Resolves when no turn is under way. */
  readonly atRest: () => Promise<void>;
  /** A turn failed and waits to be repeated. */
  readonly isWaiting: () => boolean;
};

export type HowToTurn = {
  readonly clock: Clock;
  readonly take: (reach: Reach) => Promise<Result<Turned, Failure>>;
  /** Told of every turn; whether everything that was due is done. */
  readonly ended: (turned: Result<Turned, Failure>) => boolean;
  /** a bug, or a log that contradicts itself */
  readonly broken: (error: unknown) => void;
};

/** Somebody else's command is usually over in a moment. */
const BUSY_MS = { first: 50, longest: 1000 };
/** What failed may be in the log, so it is tried less and less often. */
const FAILED_MS = { first: 1000, longest: 600_000 };

const RANK: Readonly<Record<Reach, number>> = { due: 0, firewalls: 1, all: 2 };

const larger = (a: Reach | null, b: Reach): Reach => (a !== null && RANK[a] > RANK[b] ? a : b);

const isBusy = (turned: Result<Turned, Failure>): boolean => !turned.ok && turned.error.code === 'D_BUSY';

export const turnsWith = ({ clock, take, ended, broken }: HowToTurn): Turns => {
  let wanted: Reach | null = null;
  let running: Promise<void> | null = null;
  let over = false;
  let again: (() => void) | null = null;
  let pause = 0;

  const ask = (reach: Reach): void => {
    wanted = larger(wanted, reach);
    again?.();
    again = null;
    if (running || over) return;
    running = work()
      .catch((error: unknown) => {
        if (!(error instanceof Interrupted)) broken(error);
      })
      .finally(() => {
        running = null;
        // Asked for between the last look and here.
        if (wanted !== null) ask(wanted);
      });
  };

  const later = (reach: Reach, { first, longest }: typeof BUSY_MS): void => {
    pause = Math.min(Math.max(first, pause * 2), longest);
    again = clock.after(pause, () => {
      again = null;
      ask(reach);
    });
  };

  const work = async (): Promise<void> => {
    while (wanted !== null && !over) {
      const reach: Reach = wanted;
      wanted = null;
      const turned = await take(reach);
      const isDone = ended(turned);
      if (isDone) pause = 0;
      else if (wanted === null && !over) {
        if (isBusy(turned)) later(reach, BUSY_MS);
        else later(larger(reach, 'firewalls'), FAILED_MS);
      }
    }
  };

  return {
    ask,
    atRest: async () => {
      while (running) await running;
    },
    isWaiting: () => again !== null || running !== null,
    end: async () => {
      over = true;
      again?.();
      again = null;
      await running;
    },
  };
};
