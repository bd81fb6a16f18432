import type { Step } from '../../domain/steps.ts';

/** Steps that may run at the same time: between two steps of the lane `host`, each other lane is one sequence. */
export type Wave = readonly (readonly Step[])[];

/** Cuts a list of steps into waves; `sideBySide` false makes every step a wave of its own, in plan order. */
export const wavesOf = (steps: readonly Step[], sideBySide: boolean): readonly Wave[] => {
  if (!sideBySide) return steps.map((step) => [[step]]);
  const waves: Wave[] = [];
  let lanes = new Map<string, Step[]>();
  const close = () => {
    if (lanes.size > 0) waves.push([...lanes.values()]);
    lanes = new Map();
  };
  for (const step of steps) {
    if (step.lane === 'host') {
      close();
      waves.push([[step]]);
    } else {
      const lane = lanes.get(step.lane);
      if (lane) lane.push(step);
      else lanes.set(step.lane, [step]);
    }
  }
  close();
  return waves;
};
