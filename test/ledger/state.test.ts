import { afterEach, describe, expect, test } from 'vitest';
import { emptyHost } from '../../domain/host/host.ts';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { eventsBetween, foldTo } from '../../infrastructure/ledger/fold.ts';
import { closeLedger, type Ledger } from '../../infrastructure/ledger/ledger.ts';
import { catchUp } from '../../infrastructure/ledger/projections.ts';
import { append, record } from '../../infrastructure/ledger/record.ts';
import { LogDamaged } from '../../infrastructure/ledger/sqlite-failure.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { schemaVersionOf, UPCASTERS, upcast } from '../../migrations/upcasters.ts';
import { codeOf, commanding, fact, must, open, working, writable } from './fixture.ts';

const filled = (): Ledger => {
  const ledger = writable();
  must(accept(ledger, commanding('c1', [fact('a', '1'), fact('b', '2')])));
  must(accept(ledger, working('c2')));
  must(accept(ledger, commanding('c3', [fact('a', null)])));
  return ledger;
};

describe('the state', () => {
  test('is the same restored from its stored values, folded from the log, and as the writer has it', () => {
    const ledger = filled();
    const restored = currentHost(open(ledger.file, 'read'));
    expect(restored).toEqual(currentHost(ledger));
    expect(restored).toEqual(foldTo(ledger));
    expect(restored).toMatchObject({ position: 6, site: { properties: { b: '2' } } });
  });

  test('at an earlier position is a fold up to there', () => {
    const ledger = filled();
    expect(foldTo(ledger, 0)).toEqual(emptyHost());
    expect(foldTo(ledger, 2)).toMatchObject({ position: 2, site: { properties: { a: '1' } } });
    expect(foldTo(ledger, 4).operations.size).toBe(1);
  });

  test('is stored now and then, with the events since left to whoever reads, and loses the values of what is over', () => {
    const ledger = filled();
    const keys = () => ledger.db.prepare('SELECT key FROM entities ORDER BY key').pluck().all();
    const at = () => ledger.db.prepare("SELECT position FROM checkpoints WHERE name = 'state'").pluck().get();
    const moveOn = (from: string) => {
      const facts = Array.from({ length: 1100 }, (_, n) => fact('many', `${n}`));
      must(accept(ledger, commanding(from, facts)));
    };
    expect([keys(), at()]).toEqual([['site'], 3]);
    moveOn('c4');
    expect([keys(), at()]).toEqual([['operation/c2', 'site'], 1107]);
    must(record(ledger, { command: 'c2', time: 1 }, [{ type: 'CommandCompleted', leftover: [] }]));
    expect(currentHost(open(ledger.file, 'read'))).toEqual(foldTo(ledger));
    moveOn('c5');
    expect([keys(), at()]).toEqual([['site'], 2209]);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('is folded from the first event when the events since do not follow from what is stored', () => {
    const ledger = filled();
    must(record(ledger, { command: 'c2', time: 1 }, [{ type: 'CommandCompleted', leftover: [] }]));
    const { db } = open(ledger.file, 'write');
    db.exec("UPDATE checkpoints SET position = 5 WHERE name = 'state'; UPDATE entities SET state = '{'");
    const next = open(ledger.file, 'write');
    expect(currentHost(next)).toEqual(foldTo(ledger));
    expect(verifyLedger(next).ok).toBe(false);
    must(
      accept(
        ledger,
        commanding(
          'c4',
          Array.from({ length: 1100 }, (_, n) => fact('many', `${n}`)),
        ),
      ),
    );
    expect(verifyLedger(next).ok).toBe(true);
  });

  test('follows what another process writes, from where it stood', () => {
    const ledger = filled();
    const reader = open(ledger.file, 'read');
    const host = currentHost(reader);
    must(accept(ledger, commanding('c4', [fact('new', '1')])));
    expect(currentHost(reader)).toBe(host);
    expect(host.site?.properties['new']).toBe('1');
  });

  test.each([
    ['of another fold', "UPDATE checkpoints SET version = 99 WHERE name = 'state'"],
    ['that are none', "UPDATE checkpoints SET position = 0 WHERE name = 'state'; DELETE FROM entities"],
    ['that are gone', 'DELETE FROM checkpoints; DELETE FROM entities; DELETE FROM outcomes'],
  ])('is folded again when the stored values are ones %s', (_which, sql) => {
    const ledger = filled();
    ledger.db.exec(sql);
    expect(currentHost(open(ledger.file, 'read'))).toEqual(foldTo(ledger));
    expect(verifyLedger(ledger).ok).toBe(!/outcomes/.test(sql));
    const next = open(ledger.file, 'write');
    must(catchUp(next));
    expect(verifyLedger(next).ok).toBe(true);
  });

  test('is folded again by the first writer that finds it stale, wholly and not only where it writes', () => {
    const ledger = filled();
    open(ledger.file, 'write').db.exec("UPDATE checkpoints SET version = 99; UPDATE entities SET state = '{}'");
    must(accept(ledger, commanding('c4')));
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('of a log with an event that cannot follow is an error that names the event', () => {
    const ledger = writable();
    must(
      append(
        ledger,
        { command: 'c', time: 1 },
        [{ stream: 'vm/x', event: { type: 'VmStarted', vm: 'x' as never, bootId: 'b' } }],
        new Map(),
      ),
    );
    expect(() => currentHost(ledger)).toThrow(LogDamaged);
    expect(codeOf(accept(ledger, commanding('c1')))).toBe('D_VERIFY');
    expect(codeOf(catchUp(ledger))).toBe('D_VERIFY');
    closeLedger(ledger);
  });
});

describe('an event written by older code', () => {
  const chains = UPCASTERS as Record<string, unknown>;
  afterEach(() => {
    delete chains['GlobalPropertySet'];
  });

  test('is lifted through every version on its way in, wherever it is read', () => {
    const ledger = filled();
    const before = ledger.db.prepare('SELECT data FROM events ORDER BY position').pluck().all();
    chains['GlobalPropertySet'] = [
      (data: object) => ({ ...data, name: `${(data as { name: string }).name}2` }),
      (data: object) => ({ ...data, name: `${(data as { name: string }).name}3` }),
    ];
    expect(foldTo(ledger).site?.properties).toEqual({ b23: '2' });
    expect([...eventsBetween(ledger, 1, 2)][0]?.event).toEqual(fact('a23', '1'));
    must(accept(ledger, commanding('c4', [fact('new')])));
    expect(
      ledger.db.prepare("SELECT schema_version FROM events WHERE type = 'GlobalPropertySet'").pluck().all(),
    ).toEqual([1, 1, 1, 3]);
    expect(ledger.db.prepare('SELECT data FROM events WHERE position <= 6 ORDER BY position').pluck().all()).toEqual(
      before,
    );
    expect(verifyLedger(ledger).checks.find(({ name }) => name === 'chain')?.ok).toBe(true);
  });

  test('of a version that this code does not know yet is refused', () => {
    expect(schemaVersionOf('GlobalPropertySet')).toBe(1);
    expect(() => upcast('GlobalPropertySet', 2, {})).toThrow('this code knows 1');
  });
});
