/** Where a test may kill the process: docs of DOMTRAIL_FAULT in docs/failure-modes.md. */
export type FaultPoint = 'before-step' | 'after-step' | 'after-record' | 'before-commit';

/**
 * The place the process must die at, counted in steps from 1. `reach` is called at every such place and does not return
 * from the chosen one.
 */
export type Fault = {
  /** with a fault set, steps run one at a time in plan order, so that N means the same every time */
  readonly armed: boolean;
  readonly reach: (point: FaultPoint) => void;
};

export const NO_FAULT: Fault = { armed: false, reach: () => undefined };

const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered before this loop can be left; nothing after a fault point may run.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
};

/** `kill@before-step:N`, `kill@after-step:N`, `kill@after-record:N`, `kill@before-commit`; null when it is none of these. */
export const parseFault = (text: string, kill: () => void = die): Fault | null => {
  const match = /^kill@(before-step|after-step|after-record|before-commit)(?::([1-9][0-9]{0,5}))?$/.exec(text);
  const wanted = match?.[1] as FaultPoint | undefined;
  if (!match || !wanted || (wanted === 'before-commit') !== (match[2] === undefined)) return null;
  const at = Number(match[2] ?? 1);
  let seen = 0;
  return {
    armed: true,
    reach: (point) => {
      if (point === wanted && ++seen === at) kill();
    },
  };
};
