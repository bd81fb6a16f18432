export type Spent = { readonly wallMs: number; readonly cpuMs: number };

/** What `work` took: the wall's time, and user plus system time of this process. */
export const spent = async (work: () => unknown): Promise<Spent> => {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
};

export const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

/** The result of a measuring process, for the one that started it. */
export const tell = (result: unknown): void => {
  process.stdout.write(`${JSON.stringify(result)}\n`);
};
