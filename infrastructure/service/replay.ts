import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { CommandName } from '../../domain/command/registry.ts';
import { type Command, decide } from '../../domain/decide.ts';
import { type Context, eventsOf } from '../../domain/decision.ts';
import type { DomainEvent, Recorded } from '../../domain/event.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Breach, Invariant } from '../../domain/invariants/invariant.ts';
import { watchFrom } from '../../domain/invariants/watch.ts';
import { beginningOf } from '../ledger/beginning.ts';
import { eventsBetween } from '../ledger/fold.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { commandsUpTo, type StoredCommand } from '../ledger/queries.ts';
import { unreadableEvent } from '../ledger/sqlite-failure.ts';
import { comparable } from '../redaction/comparable.ts';
import { type Begun, begunAt, isToldIn, startFor } from './replay-start.ts';

type Difference = {
  readonly position: number;
  readonly command: string;
  readonly name: string;
  readonly recorded: Json;
  readonly decided: Json;
};

/**
 * `commands` were decided again; `difference` is the first event that today's code would have recorded otherwise. `start` says
 * where it really began.
 */
export type Replayed = {
  readonly start: Begun;
  readonly commands: number;
  readonly events: number;
  readonly difference: Difference | null;
  readonly breaches: readonly Breach[];
};

/** Events after `after` up to and including `to`. */
export type Stretch = { readonly after: number; readonly to: number };

type Decided = Extract<DomainEvent, { type: 'CommandAccepted' | 'CommandRejected' }>;

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json;

const contextOf = (command: StoredCommand, position: number): Context => ({
  ...(command.context as Omit<Context, 'position'>),
  position,
});

/** The events that today's deciders give for a recorded command; the owner and the digest are facts of that day. */
const decideAgain = (host: Host, stored: StoredCommand, first: Recorded<Decided>): readonly DomainEvent[] => {
  const command = { name: stored.name as CommandName, payload: stored.payload } as Command;
  const decision = decide(host, command, contextOf(stored, first.position));
  const { event } = first;
  const owner = event.type === 'CommandAccepted' ? event.owner : { pid: 0, startTime: '', bootId: '' };
  return eventsOf(decision, { name: stored.name, digest: event.digest, owner });
};

/** A payload of another version can be one that today's code has no answer for: that is a difference, too. */
const decideOrSay = (host: Host, stored: StoredCommand, first: Recorded<Decided>): readonly unknown[] => {
  try {
    return decideAgain(host, stored, first);
  } catch (error) {
    return [{ error: error instanceof Error ? error.message : String(error) }];
  }
};

const isDecision = (recorded: Recorded): recorded is Recorded<Decided> =>
  recorded.event.type === 'CommandAccepted' || recorded.event.type === 'CommandRejected';

type Again = { readonly decided: () => number; readonly differs: (recorded: Recorded) => Difference | null };

/** What is compared of an event: all of it, or in a redacted log what is left of it. */
const comparedIn = (ledger: Ledger): ((event: Json) => Json) =>
  beginningOf(ledger).about?.redacted === true ? comparable : (event) => event;

/** Decides each recorded command again, in the state it met, and holds the recorded events against what comes out. */
const deciderAgain = (ledger: Ledger, host: Host, { after, to }: Stretch): Again => {
  const commands = new Map(
    commandsUpTo(ledger, to).flatMap((one) => (one.outcome.firstPosition > after ? [[one.id, one] as const] : [])),
  );
  const compared = comparedIn(ledger);
  let expected: readonly unknown[] = [];
  let next = 0;
  let count = 0;
  return {
    decided: () => count,
    differs: (recorded) => {
      if (isDecision(recorded)) {
        const command = commands.get(recorded.command);
        if (!command) throw new Error(`event ${recorded.position} belongs to a command that is not stored`);
        expected = decideOrSay(host, command, recorded);
        next = 0;
        count++;
      }
      if (next >= expected.length) return null;
      const again = compared(asJson(expected[next++]));
      const was = compared(asJson(recorded.event));
      if (canonicalJson(again) === canonicalJson(was)) return null;
      const name = commands.get(recorded.command)?.name ?? recorded.event.type;
      return { position: recorded.position, command: recorded.command, name, recorded: was, decided: again };
    },
  };
};

/** Breaches beyond these are counted only: one cause can show after thousands of events. */
const MOST_BREACHES = 1000;

/**
 * Goes through a stretch of the log once: decides its commands again, and holds every event against the invariants. Only
 * the first difference is told, for whatever follows from it would differ as well.
 */
export const replayLog = (ledger: Ledger, stretch: Stretch, invariants: readonly Invariant[]): Replayed => {
  const start = startFor(ledger, stretch.after);
  const isTold = isToldIn(start, stretch.after);
  const watch = watchFrom(invariants, start.host);
  const again = deciderAgain(ledger, watch.host, stretch);
  const breaches: Breach[] = [];
  let difference: Difference | null = null;
  let events = 0;
  const tell = (found: readonly Breach[]): void => {
    if (found.length > 0 && breaches.length < MOST_BREACHES) breaches.push(...found.filter(isTold));
  };
  for (const recorded of eventsBetween(ledger, start.after, stretch.to)) {
    const asked = recorded.position > stretch.after;
    if (asked) difference ??= again.differs(recorded);
    try {
      tell(watch.follow(recorded));
    } catch (error) {
      throw unreadableEvent(recorded.position, error);
    }
    if (asked) events++;
  }
  tell(watch.end());
  breaches.sort((a, b) => a.recorded.position - b.recorded.position);
  return { start: begunAt(start), commands: again.decided(), events, difference, breaches };
};

/**
 * The first event after which one of the invariants fails, or null. Every event is looked at, so one that was mended
 * later is found as well. An event that cannot follow in the log ends the walk as such.
 */
export const firstBreach = (
  ledger: Ledger,
  { after, to }: Stretch,
  invariants: readonly Invariant[],
): Breach | null => {
  const start = startFor(ledger, after);
  const isTold = isToldIn(start, after);
  const watch = watchFrom(invariants, start.host);
  let first: Breach | null = null;
  const earlier = (found: readonly Breach[]): void => {
    for (const one of found.filter(isTold)) if (!first || one.recorded.position < first.recorded.position) first = one;
  };
  for (const recorded of eventsBetween(ledger, start.after, to)) {
    try {
      earlier(watch.follow(recorded));
    } catch (error) {
      throw unreadableEvent(recorded.position, error);
    }
    // A breach at rest is told one event late, and only of events before it: what was found is the first.
    if (first) return first;
  }
  earlier(watch.end());
  return first;
};
