/**
 * A daemon that answers into a closed socket dies of SIGPIPE (spec: C.2). While an answer is on its way, an interrupt waits
 * for it; then the process gets the signal again and does with it what it would have done.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

let owed = 0;
let pending: NodeJS.Signals | null = null;

const remember = (signal: NodeJS.Signals): void => {
  pending = signal;
};

/** Call when the first request goes out on a connection. */
export const holdSignals = (): void => {
  if (owed++ === 0) for (const signal of SIGNALS) process.on(signal, remember);
};

/** Call when the last answer of that connection is in, or never will be. */
export const releaseSignals = (): void => {
  if (--owed > 0) return;
  for (const signal of SIGNALS) process.off(signal, remember);
  const signal = pending;
  pending = null;
  // Somebody else who listens has heard it already.
  if (signal && process.listenerCount(signal) === 0) process.kill(process.pid, signal);
};
