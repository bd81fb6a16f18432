import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { CommandName } from '../../domain/command/registry.ts';
import { type Command, decide } from '../../domain/decide.ts';
import { type Context, eventsOf } from '../../domain/decision.ts';
import type { DomainEvent, Recorded } from '../../domain/event.ts';
import { emptyHost, evolve } from '../../domain/host/host.ts';
import { eventsBetween } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { commandsUpTo, type StoredCommand } from '../ledger/queries.ts';

type Difference = {
  readonly position: number;
  readonly command: string;
  readonly name: string;
  readonly recorded: Json;
  readonly decided: Json;
};

export type Replayed = { readonly commands: number; readonly events: number; readonly difference: Difference | null };

type Decided = Extract<DomainEvent, { type: 'CommandAccepted' | 'CommandRejected' }>;

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json;

const contextOf = (command: StoredCommand, position: number): Context => ({
  ...(command.context as Omit<Context, 'position'>),
  position,
});

/** The events that today's deciders give for a recorded command; the owner and the digest are facts of that day. */
const decideAgain = (
  host: Parameters<typeof decide>[0],
  stored: StoredCommand,
  first: Recorded<Decided>,
): readonly DomainEvent[] => {
  const command = { name: stored.name as CommandName, payload: stored.payload } as Command;
  const decision = decide(host, command, contextOf(stored, first.position));
  const { event } = first;
  const owner = event.type === 'CommandAccepted' ? event.owner : { pid: 0, startTime: '', bootId: '' };
  return eventsOf(decision, { name: stored.name, digest: event.digest, owner });
};

const isDecision = (recorded: Recorded): recorded is Recorded<Decided> =>
  recorded.event.type === 'CommandAccepted' || recorded.event.type === 'CommandRejected';

/**
 * Runs the recorded commands through today's deciders, each in the state it met then, and compares what they give with
 * what is recorded. Stops at the first event that would differ.
 */
export const replayCommands = (ledger: Ledger, to = Number.MAX_SAFE_INTEGER): Replayed => {
  const commands = new Map(commandsUpTo(ledger, to).map((command) => [command.id, command]));
  const host = emptyHost();
  let expected: { readonly events: readonly DomainEvent[]; readonly command: StoredCommand } | null = null;
  let next = 0;
  let decided = 0;
  let events = 0;
  for (const recorded of eventsBetween(ledger, 0, to)) {
    if (isDecision(recorded)) {
      const command = commands.get(recorded.command);
      if (!command) throw new Error(`event ${recorded.position} belongs to a command that is not stored`);
      expected = { events: decideAgain(host, command, recorded), command };
      next = 0;
      decided++;
    }
    if (expected && next < expected.events.length) {
      const again = asJson(expected.events[next++]);
      const was = asJson(recorded.event);
      if (canonicalJson(again) !== canonicalJson(was)) {
        const { id, name } = expected.command;
        return {
          commands: decided,
          events,
          difference: { position: recorded.position, command: id, name, recorded: was, decided: again },
        };
      }
    }
    evolve(host, recorded);
    events++;
  }
  return { commands: decided, events, difference: null };
};
