import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { eventsBetween } from '../../infrastructure/ledger/fold.ts';
import { append, record } from '../../infrastructure/ledger/record.ts';
import { hasWalResetBug } from '../../infrastructure/ledger/sqlite-version.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { commanding, counting, errorOf, fact, ledgerFile, must, open, working, writable } from './fixture.ts';

/** Defects that were found by running another SQLite event store, and that a contract over the store's port cannot see. */
describe('what went wrong elsewhere', () => {
  test('the schema version in the row is that of the event type, whatever version the stream was expected to have', () => {
    const ledger = writable();
    const at = { command: 'c', time: 1 };
    for (const expected of [0, 1, 2])
      must(append(ledger, at, [{ stream: 's', event: fact('p') }], new Map([['s', expected]])));
    expect(ledger.db.prepare('SELECT DISTINCT schema_version FROM events').pluck().all()).toEqual([1]);
  });

  test('an inline projection sees the version that is stored, also in the second append to a stream', () => {
    const ledger = writable(ledgerFile(), [counting]);
    must(accept(ledger, commanding('a', [fact('1'), fact('2')])));
    must(accept(ledger, commanding('b', [fact('3')])));
    const seen = ledger.db.prepare('SELECT position, stream, version FROM seen ORDER BY position').all();
    expect(seen).toEqual(ledger.db.prepare('SELECT position, stream, version FROM events ORDER BY position').all());
    expect(ledger.db.prepare("SELECT version FROM seen WHERE stream = 'host'").pluck().all()).toEqual([1, 2, 3]);
  });

  test('commits go through while somebody is in the middle of reading', () => {
    const ledger = writable();
    must(accept(ledger, working('c')));
    const reader = open(ledger.file, 'read');
    for (let n = 0; n < 50; n++) {
      const reading = eventsBetween(ledger, 0, 1e9);
      reading.next();
      const elsewhere = eventsBetween(reader, 0, 1e9);
      elsewhere.next();
      must(record(ledger, { command: 'c', time: n }, [fact(`p${n}`)]));
      expect([...reading].length).toBe(n);
    }
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('the journal mode is read back, not hoped for', () => {
    const ledger = writable();
    expect(ledger.db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(open(ledger.file, 'write').db.pragma('journal_mode', { simple: true })).toBe('wal');
  });

  test.each(['3.7.0', '3.44.2', '3.44.5', '3.45.0', '3.49.2', '3.50.6', '3.51.0', '3.51.2'])(
    'SQLite %s is refused: it can lose committed transactions',
    (version) => {
      expect(hasWalResetBug(version)).toBe(true);
    },
  );

  test.each(['3.6.23', '3.44.6', '3.44.7', '3.50.7', '3.50.8', '3.51.3', '3.53.2', '4.0.0'])(
    'SQLite %s is accepted',
    (version) => {
      expect(hasWalResetBug(version)).toBe(false);
    },
  );

  test('two commands cannot have one id, and two events not one place in a stream, whoever tries', () => {
    const { db } = writable();
    const unique = db
      .prepare(
        "SELECT m.name FROM sqlite_schema m, pragma_index_list(m.name) i WHERE i.\"unique\" = 1 AND m.name IN ('events', 'commands') ORDER BY 1",
      )
      .pluck();
    expect(unique.all()).toEqual(['commands', 'events']);
  });

  test('the position of an event that was cut off the end is not given to another one', () => {
    const ledger = writable();
    must(accept(ledger, commanding('a')));
    open(ledger.file, 'write').db.exec('DROP TRIGGER events_are_never_removed; DELETE FROM events WHERE position = 2');
    expect(errorOf(accept(ledger, commanding('b')))).toMatchObject({
      code: 'D_VERIFY',
      position: 2,
      next: 'domtrail verify',
    });
    expect(verifyLedger(ledger)).toMatchObject({ ok: false, events: 1, firstBadPosition: 2 });
  });
});

describe('positions and versions', () => {
  const streams = fc.constantFrom('a', 'b', 'c', 'd');
  const appends = fc.array(
    fc.record({
      stream: streams,
      count: fc.nat({ max: 4 }),
      expected: fc.oneof(fc.constantFrom('any', 'no-stream', 'stream-exists'), fc.nat({ max: 6 })),
    }),
    { maxLength: 30 },
  );

  test('stay contiguous over any history of appends, refused ones included', () => {
    fc.assert(
      fc.property(appends, (history) => {
        const ledger = writable();
        const model = new Map<string, number>();
        for (const { stream, count, expected } of history) {
          const actual = model.get(stream) ?? 0;
          const fits =
            expected === 'any' ||
            (expected === 'no-stream' ? actual === 0 : expected === 'stream-exists' ? actual > 0 : actual === expected);
          const events = Array.from({ length: count }, (_, n) => ({ stream, event: fact(`p${n}`) }));
          expect(append(ledger, { command: 'c', time: 1 }, events, new Map([[stream, expected as 'any']])).ok).toBe(
            fits,
          );
          if (fits) model.set(stream, actual + count);
        }
        const stored = [...eventsBetween(ledger, 0, 1e9)];
        expect(stored.map(({ position }) => position)).toEqual(stored.map((_, index) => index + 1));
        for (const [stream, version] of model) {
          const own = stored.filter((one) => one.stream === stream);
          expect(own.map((one) => one.version)).toEqual(Array.from({ length: version }, (_, index) => index + 1));
        }
        ledger.db.close();
      }),
      { numRuns: 40 },
    );
  });
});
