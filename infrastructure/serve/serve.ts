import type { Subscription } from 'rxjs';
import type { Failure } from '../../domain/failure.ts';
import { dueTrash } from '../../domain/host/retention.ts';
import type { Result } from '../../domain/result.ts';
import { readHead } from '../ledger/ledger.ts';
import { currentHost } from '../ledger/state.ts';
import { subscribe } from '../ledger/subscribe.ts';
import { isBehind } from '../service/publish.ts';
import type { Service } from '../service/service.ts';
import { waitsForQubesDb } from '../service/tend-firewalls.ts';
import { type Alarm, alarmOn } from './alarm.ts';
import { type Attend, type Attending, attending } from './attend.ts';
import type { Clock } from './clock.port.ts';
import { expiriesOf, runningVms } from './due.ts';
import { endingAt } from './interrupt.ts';
import { type Turned, takeTurn } from './turn.ts';
import { type Turns, turnsWith } from './turns.ts';

export type HowToServe = {
  readonly service: Service;
  readonly clock: Clock;
  readonly attend: Attend;
  /** told of every turn, with what it did or why it did nothing */
  readonly tell: (turned: Result<Turned, Failure>) => void;
  /** aborted: end after the step under way */
  readonly signal: AbortSignal;
  /** how soon commits of other processes show, in milliseconds */
  readonly pollMs?: number;
};

/** A command writes qubes.xml at its end; a file that is behind for longer was left so by a crash. */
const BEHIND_MS = 5000;

/**
 * Erasing cannot be taken back, and a clock can be wrong for a while after the host came up: what is due must still be due
 * after ten minutes, by then for as long.
 */
const SURE_MS = 600_000;

type Watching = {
  readonly how: HowToServe;
  readonly turns: Turns;
  readonly alarm: Alarm;
  readonly daemons: Attending;
  /** calls off the look at a qubes.xml that was behind */
  document: () => void;
  /** calls off the erasing of trash that is due; null while nothing is */
  trash: (() => void) | null;
  /** the next turn erases it */
  erases: boolean;
};

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const eraseLater = (watch: Watching): void => {
  watch.trash ??= watch.how.clock.after(SURE_MS, () => {
    watch.trash = null;
    watch.erases = true;
    watch.turns.ask('due');
  });
};

/** What the log says now: whether something is due, when the next thing is, and whose daemons matter. */
const look = (watch: Watching): void => {
  const { how, turns, alarm, daemons } = watch;
  const { clock, service } = how;
  const host = currentHost(service.ledger);
  const { now, next } = expiriesOf(host, clock.now());
  const trash = dueTrash(host, clock.now());
  alarm.set(earlier(next, trash.next));
  if (trash.due.length > 0) eraseLater(watch);
  daemons.to(runningVms(host));
  watch.document();
  if (turns.isWaiting()) return;
  if (isBehind(service.ledger)) watch.document = clock.after(BEHIND_MS, () => turns.ask('due'));
  if (now) turns.ask('due');
};

/** Whether nothing is left of what a turn is for. */
const isDone = ({ service, clock }: HowToServe, turned: Result<Turned, Failure>): boolean => {
  if (!turned.ok || turned.value.problem) return false;
  const host = currentHost(service.ledger);
  return !expiriesOf(host, clock.now()).now && ![...host.operations.values()].some(waitsForQubesDb);
};

const nothing = (): void => undefined;

const watching = (how: HowToServe, seen: () => void, broken: (error: unknown) => void): Watching => {
  const { clock, service, signal } = how;
  const fault = endingAt(signal, service.fault);
  const erasing = (): number | null => {
    if (!watch.erases) return null;
    watch.erases = false;
    return SURE_MS;
  };
  const turns = turnsWith({
    clock,
    take: (reach) => takeTurn(service, fault, { reach, trash: erasing() }),
    ended: (turned) => {
      how.tell(turned);
      // Nobody may commit anything for a long time.
      setImmediate(seen);
      return isDone(how, turned);
    },
    broken,
  });
  const watch: Watching = {
    how,
    turns,
    alarm: alarmOn(clock, () => turns.ask('due')),
    daemons: attending({ clock, attend: how.attend, onCome: () => turns.ask('firewalls') }),
    document: nothing,
    trash: null,
    erases: false,
  };
  return watch;
};

const follow = ({ service, pollMs }: HowToServe, seen: () => void, broken: (error: unknown) => void): Subscription => {
  const after = readHead(service.ledger).position;
  return subscribe(service.ledger, { after, ...(pollMs === undefined ? {} : { pollMs }) }).subscribe({
    next: ({ kind }) => kind === 'caughtUp' && seen(),
    error: broken,
  });
};

export type Serving = {
  /** Resolves once the signal is aborted and the step under way is recorded; rejects when the log cannot be read. */
  readonly ended: Promise<void>;
  /** Resolves when nothing is being done. */
  readonly atRest: () => Promise<void>;
};

/**
 * Does what nobody asks for when it is due: takes out expired rules at their instant, publishes again what a QubesDB lost,
 * erases trash that nobody can want back, writes qubes.xml where it was left behind, and, first of all, what `recover` does. Holds the lease only while it works.
 * A command that fails is told of and tried again.
 */
export const serve = (how: HowToServe): Serving => {
  let over: ((error?: unknown) => void) | null = null;
  const ending = new Promise<void>((resolve, reject) => {
    over = (error) => (error === undefined ? resolve() : reject(error));
  });
  const end = (error?: unknown): void => {
    over?.(error);
    over = null;
  };
  const seen = (): void => {
    if (!over) return;
    try {
      look(watch);
    } catch (error) {
      end(error);
    }
  };
  const watch = watching(how, seen, end);
  const tail = follow(how, seen, end);
  const tidied = async (): Promise<void> => {
    try {
      await ending;
    } finally {
      tail.unsubscribe();
      watch.alarm.set(null);
      watch.document();
      watch.trash?.();
      await watch.turns.end();
      await watch.daemons.end();
    }
  };
  how.signal.addEventListener('abort', () => end(), { once: true });
  if (how.signal.aborted) end();
  else watch.turns.ask('all');
  return { ended: tidied(), atRest: watch.turns.atRest };
};
