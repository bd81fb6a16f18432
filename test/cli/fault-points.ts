import { expect } from 'vitest';

/** Where a step can be cut short (interface: fault points). */
export const POINTS = ['before-step', 'after-step', 'after-record'] as const;

export type Outcome = 'killed' | 'survived';
type Visit = (fault: string) => Promise<Outcome>;

/** The command again and again, each time cut short one step later, until it comes through: every step has its turn. */
export const visitSteps = async (point: string, mostSteps: number, visit: Visit): Promise<void> => {
  let killed = 0;
  while (killed < mostSteps && (await visit(`kill@${point}:${killed + 1}`)) === 'killed') killed++;
  expect(killed, `steps visited at ${point}`).toBeGreaterThan(0);
  expect(killed, `steps visited at ${point}`).toBeLessThan(mostSteps);
};
