import type { Recorded } from '../../domain/event.ts';
import { schemaVersionOf } from '../../migrations/upcasters.ts';
import type { Actor } from '../ledger/accept.ts';
import type { StoredCommand } from '../ledger/queries.ts';
import { utcTime } from './text.ts';

/** An event as programs read it; step outcomes also carry what they ran at the top. */
export const eventItem = (recorded: Recorded, actor: Actor | null) => {
  const { type, ...data } = recorded.event;
  const step =
    recorded.event.type === 'StepDone' || recorded.event.type === 'StepFailed'
      ? {
          argv: recorded.event.evidence.argv,
          exitCode: recorded.event.evidence.exitCode,
          durationMs: recorded.event.evidence.durationMs,
          lvUuid: recorded.event.type === 'StepDone' ? (recorded.event.disk?.id ?? null) : null,
          found: recorded.event.type === 'StepDone' && recorded.event.found,
        }
      : {};
  return {
    position: recorded.position,
    time: utcTime(recorded.time),
    type,
    schemaVersion: schemaVersionOf(type),
    stream: recorded.stream,
    version: recorded.version,
    command: recorded.command,
    actor,
    data,
    ...step,
  };
};

/** A command as programs read it. */
export const commandItem = (command: StoredCommand) => ({
  id: command.id,
  name: command.name,
  payload: command.payload,
  actor: command.actor,
  reason: command.reason,
  receivedAt: utcTime(command.receivedAt),
  outcome: command.outcome.outcome,
  error: command.outcome.failure,
  firstPosition: command.outcome.firstPosition,
  lastPosition: command.outcome.lastPosition,
});

/** Who did it, short enough for a column. */
export const actorText = (actor: Actor | null): string => {
  if (!actor) return '-';
  if (actor.source) return `${actor.source} (qrexec)`;
  return actor.tool === 'domtrail' ? actor.user : actor.tool;
};
