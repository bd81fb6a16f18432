import { Observable, type Subscriber } from 'rxjs';
import type { Recorded } from '../../domain/event.ts';
import { type Ledger, readHead, statement } from './ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';
import { LogDamaged, sqliteFailure } from './sqlite-failure.ts';

/** `caughtUp`: everything that was recorded when it was sent has been sent; `position` is the last one. */
export type Signal =
  | { readonly kind: 'event'; readonly recorded: Recorded }
  | { readonly kind: 'caughtUp'; readonly position: number };

/** `after`: the last position the subscriber has seen, 0 for all. `pollMs`: how soon commits of other processes show. */
export type Following = { readonly after: number; readonly pollMs?: number };

const PAGE = 1000;
const POLL_MS = 100;

const pageAfter = (ledger: Ledger, position: number): readonly Recorded[] => {
  const rows = statement(ledger, `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`).raw().all(position) as EventRow[];
  return rows.map((row) => {
    try {
      return decode(row);
    } catch (error) {
      throw new LogDamaged(row[0], error);
    }
  });
};

/** Changes with every commit of another connection (sqlite.org/pragma.html#pragma_data_version). */
const dataVersion = (ledger: Ledger): number => statement(ledger, 'PRAGMA data_version').pluck().get() as number;

/**
 * One subscriber's way through the log. Events always come out of the log itself, in pages by position; a wake-up only
 * says that it is worth looking. So nothing is skipped or sent twice, whoever wrote it and however often it wakes.
 */
class Tail {
  private position: number;
  private caughtUp = -1;
  private scheduled = false;
  private readonly ledger: Ledger;
  private readonly subscriber: Subscriber<Signal>;

  constructor(ledger: Ledger, subscriber: Subscriber<Signal>, after: number) {
    this.ledger = ledger;
    this.subscriber = subscriber;
    this.position = after;
  }

  /** Looks in a later turn of the event loop, one page a turn: a long way to go must not stop everything else. */
  wake(): void {
    if (this.scheduled || this.subscriber.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.look();
    });
  }

  private look(): void {
    if (this.subscriber.closed) return;
    if (!this.ledger.db.open) return this.subscriber.complete();
    try {
      const page = pageAfter(this.ledger, this.position);
      this.send(page);
      if (page.length === PAGE) this.wake();
      else this.rest();
    } catch (error) {
      this.subscriber.error(sqliteFailure(error, this.ledger.file) ?? error);
    }
  }

  private send(page: readonly Recorded[]): void {
    for (const recorded of page) {
      if (this.subscriber.closed) return;
      this.position = recorded.position;
      this.subscriber.next({ kind: 'event', recorded });
    }
  }

  private rest(): void {
    if (this.caughtUp === this.position || this.subscriber.closed) return;
    this.caughtUp = this.position;
    this.subscriber.next({ kind: 'caughtUp', position: this.position });
  }
}

/**
 * Events after a position, then those that are recorded from now on, by this process (right after its commit) or by any
 * other. `caughtUp` comes each time the end of the log is reached. Ends with the ledger; errors with a `Failure`.
 */
export const subscribe = (ledger: Ledger, { after, pollMs = POLL_MS }: Following): Observable<Signal> =>
  new Observable((subscriber) => {
    const tail = new Tail(ledger, subscriber, after);
    const wake = (): void => tail.wake();
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
