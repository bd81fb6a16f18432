import type { Subscription } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { closeLedger, type Ledger } from '../../infrastructure/ledger/ledger.ts';
import { append } from '../../infrastructure/ledger/record.ts';
import { type Following, type Signal, subscribe } from '../../infrastructure/ledger/subscribe.ts';
import { child, commanding, fact, must, open, writable } from './fixture.ts';

const running: Subscription[] = [];
afterEach(() => {
  for (const one of running.splice(0)) one.unsubscribe();
});

/** A subscriber that writes down what it gets: 3 for an event, "=3" for being caught up there. */
const follow = (ledger: Ledger, following: Following) => {
  const got: string[] = [];
  const waiting: { readonly last: string; readonly resolve: () => void }[] = [];
  const note = (text: string): void => {
    got.push(text);
    for (const one of waiting) if (one.last === text) one.resolve();
  };
  const textOf = (signal: Signal): string =>
    signal.kind === 'event' ? `${signal.recorded.position}` : `=${signal.position}`;
  const subscription = subscribe(ledger, following).subscribe({
    next: (signal) => note(textOf(signal)),
    complete: () => note('complete'),
    error: (error) => note(`error ${error.code}`),
  });
  running.push(subscription);
  const until = (last: string): Promise<void> =>
    got.includes(last) ? Promise.resolve() : new Promise((resolve) => waiting.push({ last, resolve }));
  return { got, until, stop: () => subscription.unsubscribe() };
};

/** Polling so rarely that only the wake-up inside the process can be what delivers. */
const NO_POLL = 1_000_000;

describe('a subscription', () => {
  test('gives everything after a position, says that it has caught up, and goes on with what is recorded then', async () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
    const { got, until } = follow(ledger, { after: 1, pollMs: NO_POLL });
    await until('=3');
    must(accept(ledger, commanding('c2')));
    await until('=5');
    expect(got).toEqual(['2', '3', '=3', '4', '5', '=5']);
  });

  test('on an empty log says that it has caught up at once', async () => {
    const { got, until } = follow(writable(), { after: 0, pollMs: NO_POLL });
    await until('=0');
    expect(got).toEqual(['=0']);
  });

  test('resumes by position without skipping or repeating', async () => {
    const ledger = writable();
    for (let n = 0; n < 5; n++) must(accept(ledger, commanding(`c${n}`)));
    const first = follow(ledger, { after: 0, pollMs: NO_POLL });
    await first.until('6');
    first.stop();
    const second = follow(ledger, { after: 6, pollMs: NO_POLL });
    await second.until('=10');
    expect(second.got).toEqual(['7', '8', '9', '10', '=10']);
  });

  test('goes through a long log page by page, with events arriving meanwhile', async () => {
    const ledger = writable();
    const many = (count: number) => Array.from({ length: count }, (_, n) => ({ stream: 's', event: fact(`p${n}`) }));
    const add = (count: number) => must(append(ledger, { command: 'c', time: 1 }, many(count), new Map()));
    add(2500);
    const { got, until } = follow(ledger, { after: 0, pollMs: NO_POLL });
    await until('1000');
    add(1);
    await until('=2501');
    expect(got).toEqual([...Array.from({ length: 2501 }, (_, n) => `${n + 1}`), '=2501']);
  });

  test('sees what another process commits', async () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1')));
    closeLedger(ledger);
    const reader = open(ledger.file, 'read');
    const { got, until } = follow(reader, { after: 0, pollMs: 5 });
    await until('=2');
    const other = child(['write', ledger.file, 'c2'], { env: { DOMTRAIL_BOOT_ID: 'later' } });
    await until('=4');
    await other.ended;
    expect(got).toEqual(['1', '2', '=2', '3', '4', '=4']);
  });

  test('may be the reason for the next command without losing its place', async () => {
    const ledger = writable();
    must(accept(ledger, commanding('c0')));
    const positions: number[] = [];
    await new Promise<void>((resolve) => {
      running.push(
        subscribe(ledger, { after: 0, pollMs: NO_POLL }).subscribe((signal) => {
          if (signal.kind !== 'event') return;
          positions.push(signal.recorded.position);
          if (positions.length < 10 && positions.length % 2 === 0)
            must(accept(ledger, commanding(`c${positions.length}`)));
          if (positions.length === 10) resolve();
        }),
      );
    });
    expect(positions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('stops when it is told to, and ends when the ledger is closed', async () => {
    const ledger = writable();
    const { got, until, stop } = follow(ledger, { after: 0, pollMs: NO_POLL });
    await until('=0');
    stop();
    expect(ledger.committed.size).toBe(0);
    must(accept(ledger, commanding('c1')));
    const other = follow(ledger, { after: 2, pollMs: 5 });
    await other.until('=2');
    closeLedger(ledger);
    await other.until('complete');
    expect(got).toEqual(['=0']);
  });

  test('ends with a coded failure at an event that cannot be read', async () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
    ledger.db.exec('DROP TRIGGER events_are_never_changed; UPDATE events SET schema_version = 9 WHERE position = 2');
    const { got, until } = follow(ledger, { after: 0, pollMs: NO_POLL });
    await until('error D_VERIFY');
    expect(got).toEqual(['error D_VERIFY']);
  });
});
