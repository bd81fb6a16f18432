import { Observable, type Subscriber } from 'rxjs';
import type { Recorded } from '../../domain/event.ts';
import { dataVersion, type Ledger, statement } from './ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';
import { sqliteFailure } from './sqlite-failure.ts';

/** `caughtUp`: everything that was recorded when it was sent has been sent; `position` is the last one. */
export type Signal =
  | { readonly kind: 'event'; readonly recorded: Recorded }
  | { readonly kind: 'caughtUp'; readonly position: number };

/** `after`: the last position the subscriber has seen, 0 for all. `pollMs`: how soon commits of other processes show. */
export type Following = { readonly after: number; readonly pollMs?: number };

const PAGE = 1000;
const POLL_MS = 100;

const pageAfter = (ledger: Ledger, position: number): readonly Recorded[] => {
  const page = statement(
    ledger,
    `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`,
  );
  return (page.raw().all(position) as EventRow[]).map(decode);
};

type Tail = { readonly ledger: Ledger; readonly subscriber: Subscriber<Signal>; position: number; caughtUp: number };

const send = (tail: Tail, page: readonly Recorded[]): void => {
  for (const recorded of page) {
    if (tail.subscriber.closed) return;
    tail.position = recorded.position;
    tail.subscriber.next({ kind: 'event', recorded });
  }
  if (page.length === PAGE || tail.caughtUp === tail.position || tail.subscriber.closed) return;
  tail.caughtUp = tail.position;
  tail.subscriber.next({ kind: 'caughtUp', position: tail.position });
};

/** Sends one page; true when there may be more. */
const look = (tail: Tail): boolean => {
  const { ledger, subscriber } = tail;
  if (subscriber.closed) return false;
  if (!ledger.db.open) {
    subscriber.complete();
    return false;
  }
  try {
    const page = pageAfter(ledger, tail.position);
    send(tail, page);
    return page.length === PAGE;
  } catch (error) {
    subscriber.error(sqliteFailure(error, ledger.file) ?? error);
    return false;
  }
};

/**
 * A wake-up only says that it is worth looking, in a later turn of the event loop and one page a turn, so that a long way
 * to go does not stop everything else. Events always come out of the log itself, by position: nothing is skipped or sent
 * twice, whoever wrote it and however often it wakes.
 */
const wakerOf = (tail: Tail): (() => void) => {
  let scheduled = false;
  const wake = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (look(tail)) wake();
    });
  };
  return wake;
};

/**
 * Events after a position, then those that are recorded from now on, by this process (right after its commit) or by any
 * other. `caughtUp` comes each time the end of the log is reached. Ends with the ledger; errors with a `Failure`.
 */
export const subscribe = (ledger: Ledger, { after, pollMs = POLL_MS }: Following): Observable<Signal> =>
  new Observable((subscriber) => {
    const wake = wakerOf({ ledger, subscriber, position: after, caughtUp: -1 });
    let version = dataVersion(ledger);
    const poll = setInterval(() => {
      if (!ledger.db.open) return wake();
      const now = dataVersion(ledger);
      if (now !== version) wake();
      version = now;
    }, pollMs);
    ledger.committed.add(wake);
    wake();
    return () => {
      clearInterval(poll);
      ledger.committed.delete(wake);
    };
  });
