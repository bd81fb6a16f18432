import type { Operation } from '../command/operation.ts';
import { type Archive, isArchive } from './archive.ts';

/** A backup that is being written to a file: its step, and the command it belongs to. */
export type Unwritten = { readonly operation: Operation; readonly archive: Archive };

/**
 * The backup that a command is writing: what it reads is pinned, and nothing else of it is under way. Null for every other
 * command. When its process is gone, `backup resume` can go on with it, so nobody need end it for the sake of order.
 */
export const unwritten = (operation: Operation): Unwritten | null => {
  const { plan, done, course } = operation;
  if (course.is !== 'forward') return null;
  const step = plan.main.find(({ n }) => !(n in done));
  if (!step || !isArchive(step.deed) || step.deed.to.kind !== 'file') return null;
  return { operation, archive: step.deed };
};
