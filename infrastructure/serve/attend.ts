import type { Clock } from './clock.port.ts';

/** A silent connection to a QubesDB daemon. */
type Attendance = { readonly close: () => Promise<void> };

/** Connects to the daemon of a VM; null where there is none now. `onEnd`: the daemon, or the connection, is gone. */
export type Attend = (vm: string, onEnd: () => void) => Promise<Attendance | null>;

export type Attending = {
  /** From now on these, and no others. */
  readonly to: (vms: ReadonlySet<string>) => void;
  readonly end: () => Promise<void>;
};

type HowToAttend = { readonly clock: Clock; readonly attend: Attend; readonly onCome: (vm: string) => void };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

type Line = { readonly hangUp: () => Promise<void> };

/** Connects, and again whenever the daemon comes back, until it is hung up. */
const lineTo = (vm: string, { clock, attend, onCome }: HowToAttend): Line => {
  let over = false;
  let pause = FIRST_PAUSE_MS;
  let cancel: (() => void) | null = null;
  let there: Attendance | null = null;
  const dial = async (): Promise<void> => {
    there = await attend(vm, () => {
      there = null;
      pause = FIRST_PAUSE_MS;
      later();
    });
    if (there === null) later();
    else if (over) await there.close();
    else onCome(vm);
  };
  const later = (): void => {
    if (over) return;
    cancel = clock.after(pause, () => void dial());
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
  void dial();
  return {
    hangUp: async () => {
      over = true;
      cancel?.();
      await there?.close();
    },
  };
};

/**
 * Notices when daemons of QubesDB come, and come back empty: `onCome`. No watch is ever set on them. A connection on which
 * nothing is owed tells of a daemon's end just as well, and no death of ours can take the daemon with it (spec: C.2).
 */
export const attending = (how: HowToAttend): Attending => {
  const lines = new Map<string, Line>();
  const drop = async (vm: string): Promise<void> => {
    const line = lines.get(vm);
    lines.delete(vm);
    await line?.hangUp();
  };
  return {
    to: (vms) => {
      for (const vm of lines.keys()) if (!vms.has(vm)) void drop(vm);
      for (const vm of vms) if (!lines.has(vm)) lines.set(vm, lineTo(vm, how));
    },
    end: async () => {
      await Promise.all([...lines.keys()].map(drop));
    },
  };
};
