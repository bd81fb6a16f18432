import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { type Ledger, readHead } from '../../infrastructure/ledger/ledger.ts';
import type { Projection } from '../../infrastructure/ledger/projection.port.ts';
import { catchUp, digestOf, rebuild, replayed } from '../../infrastructure/ledger/projections.ts';
import { append } from '../../infrastructure/ledger/record.ts';
import { readCheckpoint, saveCheckpoint } from '../../infrastructure/ledger/state.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import { codeOf, commanding, counting, fact, ledgerFile, must, open, writable } from './fixture.ts';

const counted = ({ sql }: Pick<Ledger, 'sql'>) => sql.all('SELECT type, n FROM counted ORDER BY type');
const three = [
  { type: 'CommandAccepted', n: 1 },
  { type: 'GlobalPropertySet', n: 2 },
];

/** A ledger written without any projection. */
const plain = (): string => {
  const ledger = writable();
  must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
  return ledger.file;
};

const unbuilt = (projection: Projection = counting): Ledger => open(plain(), 'write', [projection]);

describe('a projection', () => {
  test('gets its rows and its checkpoint in the transaction of the events', () => {
    const ledger = writable(ledgerFile(), [counting]);
    must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
    expect(counted(ledger)).toEqual(three);
    expect(readCheckpoint(ledger, 'counting')).toMatchObject({ version: 1, position: 3 });
    expect(() =>
      accept(ledger, commanding('c2'), () => {
        throw new Error('no');
      }),
    ).toThrow();
    expect(counted(ledger)).toEqual(three);
    expect(readCheckpoint(ledger, 'counting')?.position).toBe(3);
  });

  test('sees the state after the event, while it is written and while it is replayed', () => {
    const ledger = writable(ledgerFile(), [counting]);
    must(accept(ledger, commanding('c1', [fact('a'), fact('b')])));
    const shadow = replayed(ledger, counting, 3);
    const at = 'SELECT position, at FROM seen WHERE position <> at';
    expect([ledger.sql.all(at), shadow.sql.all(at)]).toEqual([[], []]);
    shadow.db.close();
  });

  test('that is new is built from the first event on', () => {
    const ledger = unbuilt();
    must(catchUp(ledger));
    expect(counted(ledger)).toEqual(three);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('of another version is built again, with its new tables', () => {
    const ledger = unbuilt();
    must(catchUp(ledger));
    const changed = {
      ...counting,
      version: 2,
      schema: (prefix: string) =>
        counting.schema(prefix).replace('n INTEGER NOT NULL', 'n INTEGER NOT NULL, more TEXT'),
      apply: ((sql, prefix, recorded) =>
        sql.run(
          `INSERT INTO ${prefix}counted VALUES (?, 1, 'x') ON CONFLICT (type) DO UPDATE SET n = n + 1`,
          recorded.event.type,
        )) as Projection['apply'],
    };
    const next = open(ledger.file, 'write', [changed]);
    expect(verifyLedger(next).checks.find(({ name }) => name === 'projection counting')?.ok).toBe(false);
    must(catchUp(next));
    expect(next.sql.all('SELECT more FROM counted')).toEqual([{ more: 'x' }, { more: 'x' }]);
    expect(verifyLedger(next).ok).toBe(true);
  });

  test('that fell behind because another writer did not know it is caught up before the next event', () => {
    const ledger = unbuilt();
    must(catchUp(ledger));
    const other = open(ledger.file, 'write');
    other.cache.token = ledger.cache.token = ledger.db.prepare('SELECT token FROM lease').pluck().get() as number;
    must(accept(other, commanding('c2')));
    must(accept(ledger, commanding('c3')));
    expect(counted(ledger)).toEqual([
      { type: 'CommandAccepted', n: 3 },
      { type: 'GlobalPropertySet', n: 4 },
    ]);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('can be seen as it was at any position without touching the ledger', () => {
    const file = plain();
    const reader = open(file, 'read', [counting]);
    const counts = [0, 1, 2, 3].map((to) => {
      const { db, sql } = replayed(reader, counting, to);
      const rows = counted({ sql });
      db.close();
      return rows.map(({ n }) => n);
    });
    expect(counts).toEqual([[], [1], [1, 1], [1, 2]]);
  });
});

describe('a rebuild', () => {
  const built = (): Ledger => {
    const ledger = unbuilt();
    must(catchUp(ledger));
    return ledger;
  };

  test('of an untouched projection changes nothing, which the digests prove', () => {
    const ledger = built();
    const { before, after, position } = must(rebuild(ledger, counting, true));
    expect(before).toBe(after);
    expect(position).toBe(readHead(ledger).position);
    expect(must(rebuild(ledger, counting, true)).before).toBe(after);
  });

  test('mends what was changed, and says that something was', () => {
    const ledger = built();
    ledger.db.exec('UPDATE counted SET n = 77');
    const looked = must(rebuild(ledger, counting, false));
    expect(looked.before).not.toBe(looked.after);
    expect(counted(ledger)[0]?.['n']).toBe(77);
    const mended = must(rebuild(ledger, counting, true));
    expect(mended).toEqual(looked);
    expect(counted(ledger)).toEqual(three);
    expect(digestOf(ledger.db, counting)).toBe(mended.after);
  });

  test('replaces tables that are gone', () => {
    const ledger = built();
    ledger.db.exec('DROP TABLE seen');
    expect(must(rebuild(ledger, counting, true)).before).toBe(null);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('shows a reader the old rows or the new, never some of each', () => {
    const ledger = built();
    ledger.db.exec('UPDATE counted SET n = 77');
    const reader = open(ledger.file, 'read', [counting]);
    const seen: unknown[] = [];
    const watching: Projection = {
      ...counting,
      apply: (sql, prefix, recorded, host) => {
        counting.apply(sql, prefix, recorded, host);
        seen.push(counted(reader).map(({ n }) => n));
      },
    };
    must(rebuild(ledger, watching, true));
    expect(new Set(seen.map(String))).toEqual(new Set(['77,77']));
    expect(counted(reader)).toEqual(three);
  });

  test('that fails in the middle leaves everything as it was', () => {
    const ledger = built();
    const broken: Projection = {
      ...counting,
      version: 2,
      apply: () => {
        throw new Error('bug');
      },
    };
    expect(() => rebuild(ledger, broken, true)).toThrow('bug');
    expect(counted(ledger)).toEqual(three);
    expect(readCheckpoint(ledger, 'counting')).toMatchObject({ version: 1, position: 3 });
  });

  test('takes in what was recorded while it ran', () => {
    const ledger = built();
    const other = open(ledger.file, 'write');
    other.cache.token = ledger.db.prepare('SELECT token FROM lease').pluck().get() as number;
    let once = true;
    const slow: Projection = {
      ...counting,
      apply: (sql, prefix, recorded, host) => {
        counting.apply(sql, prefix, recorded, host);
        if (once) must(accept(other, commanding('meanwhile')));
        once = false;
      },
    };
    expect(must(rebuild(ledger, slow, true)).position).toBe(5);
    expect(verifyLedger(ledger).ok).toBe(true);
  });
});

describe('a digest', () => {
  test('depends on the rows, not on the order in which they came', () => {
    const make = (orders: readonly string[]) => {
      const ledger = writable(ledgerFile(), [counting]);
      for (const values of orders)
        ledger.db.exec(`INSERT INTO counted VALUES ${values}; INSERT INTO seen VALUES (1, 's', 1, ${values.length})`);
      return digestOf(ledger.db, counting);
    };
    expect(make(["('a', 1)", "('bb', 2)"])).toBe(make(["('bb', 2)", "('a', 1)"]));
    expect(make(["('a', 1)"])).not.toBe(make(["('a', 2)"]));
  });
});

describe('a log that ends before what was derived from it', () => {
  test('is not written to, so that the trace stays', () => {
    const ledger = writable(ledgerFile(), [counting]);
    must(append(ledger, { command: 'c', time: 1 }, [{ stream: 's', event: fact('p') }], new Map()));
    saveCheckpoint(ledger, { name: 'qubes-xml', version: 1, position: 9 });
    expect(codeOf(catchUp(ledger))).toBe('D_VERIFY');
    expect(codeOf(accept(ledger, commanding('c1')))).toBe('D_VERIFY');
  });
});
