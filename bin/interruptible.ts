const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** While it lasts, an interrupt ends the backup in order: what was begun is taken back first. */
export const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
};
