import type { Ledger } from './ledger.ts';
import { decidedBy } from './outcomes.ts';
import { eventsOfCommand, type StoredCommand } from './queries.ts';

/** A command as it stood at a position; null where it was not decided yet. */
export const asItStood = (ledger: Ledger, command: StoredCommand, position: number): StoredCommand | null => {
  const { outcome } = command;
  if (outcome.firstPosition > position) return null;
  if (outcome.lastPosition <= position) return command;
  const events = eventsOfCommand(ledger, command.id, position);
  const last = events.at(-1);
  const then = decidedBy(events);
  const finishedAt = then.outcome === 'accepted' ? null : (last?.time ?? null);
  const lastPosition = last?.position ?? outcome.firstPosition;
  return { ...command, outcome: { ...outcome, ...then, lastPosition, finishedAt } };
};
