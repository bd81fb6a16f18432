import type { CommandEvent, Evidence } from '../../domain/command/events.ts';
import { wordsOfDeed } from '../../domain/deed-words.ts';
import type { Disk } from '../../domain/disk.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Step } from '../../domain/steps.ts';
import type { Sighting } from '../drivers/driver.port.ts';

export type StepDone = Extract<CommandEvent, { type: 'StepDone' }>;
export type StepFailed = Extract<CommandEvent, { type: 'StepFailed' }>;

export const NOTHING_RAN: Evidence = { argv: [], exitCode: null, stderr: '', durationMs: 0 };

type Outcome = {
  readonly found: boolean;
  readonly before: Sighting | null;
  readonly after: Sighting | null;
  readonly evidence: Evidence;
};

const diskOf = (sighting: Sighting | null): Disk | null =>
  sighting ? { id: sighting.id, bytes: sighting.bytes } : null;

/** The record of a step that stands. */
export const done = (step: Step, outcome: Outcome): StepDone => ({
  type: 'StepDone',
  n: step.n,
  object: step.object,
  words: wordsOfDeed(step.deed),
  found: outcome.found,
  disk: diskOf(outcome.after),
  before: outcome.before?.name ?? null,
  after: outcome.after?.name ?? null,
  evidence: outcome.evidence,
});

/** The record of a step that did not come about. */
export const failed = (step: Step, { code, message, cause }: Failure, evidence: Evidence): StepFailed => ({
  type: 'StepFailed',
  n: step.n,
  object: step.object,
  words: wordsOfDeed(step.deed),
  code,
  message: cause ? `${message}: ${cause}` : message,
  evidence,
});
