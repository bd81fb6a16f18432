import { counted } from '../../domain/counted.ts';
import { stepsOf, type Verdict } from '../../domain/decision.ts';
import { symbolOfDeed, wordsOfDeed } from '../../domain/deed-words.ts';
import type { Step } from '../../domain/steps.ts';
import { escapeText } from './text.ts';

const line = (step: Step, width: number): string =>
  `  ${`${step.n}`.padStart(2)}  ${symbolOfDeed(step.deed)} ${escapeText(step.object).padEnd(width)}  ${escapeText(wordsOfDeed(step.deed))}`;

const count = (steps: readonly Step[], symbol: string): number =>
  steps.filter(({ deed }) => symbolOfDeed(deed) === symbol).length;

/** A plan as a page: what is done, in order, and what it amounts to. */
export const planText = (title: string, { plan }: Verdict, position: number): string => {
  const steps = stepsOf(plan);
  const width = Math.max(0, ...steps.map((step) => escapeText(step.object).length));
  const changes = plan.facts.length;
  const head = `Plan for ${title} at event ${position} (${counted(steps.length, 'step')})`;
  const sum = `Plan: ${count(steps, '+')} to add, ${count(steps, '~')} to change, ${count(steps, '-')} to destroy; ${counted(changes, 'fact')} to record.`;
  return `${[head, ...steps.map((step) => line(step, width)), sum].join('\n')}\n`;
};

/** The same for programs. */
export const planItem = (title: string, { plan, holds, remarks = [] }: Verdict) => ({
  command: title,
  steps: stepsOf(plan).map((step) => ({
    n: step.n,
    symbol: symbolOfDeed(step.deed),
    object: step.object,
    words: wordsOfDeed(step.deed),
    deed: step.deed,
  })),
  facts: plan.facts,
  holds,
  remarks,
});
