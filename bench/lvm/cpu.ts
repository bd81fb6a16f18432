import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU milliseconds: of everything that ran, and of this Node process alone. */
export type Cpu = { readonly all: number; readonly node: number };

/**
 * Puts this process into a control group of its own, which counts what all its descendants use to the microsecond, also
 * of an lvm that outlives the command it worked for. The caller has mounted cgroup2 at `/run/cgroup`.
 */
export const enterGroup = (): void => {
  mkdirSync('/run/cgroup/bench', { recursive: true });
  writeFileSync('/run/cgroup/bench/cgroup.procs', `${process.pid}`);
};

const groupMs = (): number => {
  const usec = /^usage_usec (\d+)$/m.exec(readFileSync('/run/cgroup/bench/cpu.stat', 'utf8'))?.[1];
  if (usec === undefined) throw new Error('the control group counts nothing');
  return Number(usec) / 1000;
};

/** Longer than an idle lvm stays. */
const SETTLED_MS = 2500;

/** What `work` took, until everything it started has ended. */
export const cpuOf = async (work: () => unknown): Promise<Cpu> => {
  const own = process.cpuUsage();
  const before = groupMs();
  await work();
  await sleep(SETTLED_MS);
  const { user, system } = process.cpuUsage(own);
  return { all: groupMs() - before, node: (user + system) / 1000 };
};
