import { describe, expect, test } from 'vitest';
import { failure } from '../../domain/failure.ts';
import { err } from '../../domain/result.ts';
import { accept, acceptAll } from '../../infrastructure/ledger/accept.ts';
import { eventsBetween } from '../../infrastructure/ledger/fold.ts';
import { sha256 } from '../../infrastructure/ledger/hashes.ts';
import { acquireLease, releaseLease } from '../../infrastructure/ledger/lease.ts';
import { type Ledger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { readOutcome } from '../../infrastructure/ledger/outcomes.ts';
import { thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import { commandsUpTo } from '../../infrastructure/ledger/queries.ts';
import { commandQueue } from '../../infrastructure/ledger/queue.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import {
  codeOf,
  commanding,
  counting,
  envelope,
  errorOf,
  fact,
  ledgerFile,
  must,
  open,
  rejected,
  working,
  writable,
} from './fixture.ts';

const types = (ledger: Ledger): readonly string[] => [...eventsBetween(ledger, 0, 1e9)].map(({ event }) => event.type);
const count = (ledger: Ledger, table: string): number =>
  ledger.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;

describe('a command', () => {
  test('is stored with its payload, actor, reason and context as they came', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1', [fact('p')], { reason: 'because\nof this' })));
    const [stored] = commandsUpTo(ledger);
    expect(stored).toMatchObject({
      seq: 1,
      id: 'c1',
      name: 'SetThing',
      payload: { a: 'x', b: 1 },
      reason: 'because\nof this',
      receivedAt: 1_700_000_000_123,
    });
    expect(stored?.actor.user).toBe('ada');
    const row = ledger.db.prepare('SELECT payload, hex(payload_hash) AS hash, position FROM commands').get();
    expect(row).toEqual({ payload: '{"a":"x","b":1}', hash: sha256('{"a":"x","b":1}').toUpperCase(), position: 1 });
  });

  test('is in the log before it is decided', () => {
    const ledger = writable();
    const seen: number[] = [];
    const watching = {
      envelope: envelope('c1'),
      decide: () => {
        seen.push(count(ledger, 'commands'));
        return err(failure('D_NOT_FOUND', 'no'));
      },
    };
    must(accept(ledger, watching));
    expect(seen).toEqual([1]);
  });

  test('is decided on the state at the head, and told the position of its first event', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1', [fact('colour', 'red')])));
    const seen: unknown[] = [];
    const looking = {
      envelope: envelope('c2'),
      decide: (host: ReturnType<typeof currentHost>, position: number) => {
        seen.push(host.site?.properties, position);
        return err(failure('D_NOT_FOUND', 'no'));
      },
    };
    must(accept(ledger, looking));
    expect(seen).toEqual([{ colour: 'red' }, 3]);
  });

  test('without steps is completed at once, with steps it stays open', () => {
    const ledger = writable();
    expect(must(accept(ledger, commanding('c1'))).outcome).toMatchObject({
      outcome: 'completed',
      firstPosition: 1,
      lastPosition: 2,
      finishedAt: 1_700_000_000_123,
    });
    expect(must(accept(ledger, working('c2'))).outcome).toMatchObject({
      outcome: 'accepted',
      firstPosition: 3,
      lastPosition: 3,
      finishedAt: null,
    });
    expect([...currentHost(ledger).operations.keys()]).toEqual(['c2']);
  });

  test('that is rejected is stored with its reason', () => {
    const ledger = writable();
    const answer = must(accept(ledger, rejected('c1')));
    expect(answer).toMatchObject({
      is: 'rejected',
      outcome: { outcome: 'rejected', failure: { code: 'D_NOT_FOUND' }, firstPosition: 1 },
    });
    expect(types(ledger)).toEqual(['CommandRejected']);
    expect(readOutcome(ledger, 'c1')).toEqual(answer.outcome);
  });

  test('that comes again with the same id and payload gets the stored outcome, and nothing is added', () => {
    const ledger = writable();
    const first = must(accept(ledger, commanding('c1')));
    const again = must(accept(ledger, commanding('c1', [fact('other')], { payload: { a: 'x', b: 1 }, receivedAt: 5 })));
    expect(again).toEqual({ is: 'repeated', outcome: first.outcome, recorded: [] });
    expect(types(ledger)).toEqual(['CommandAccepted', 'GlobalPropertySet']);
    expect(must(accept(ledger, rejected('c2'))).is).toBe('rejected');
    expect(must(accept(ledger, commanding('c2'))).outcome.outcome).toBe('rejected');
  });

  test('that comes again with another payload or name is a conflict', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1')));
    expect(codeOf(accept(ledger, commanding('c1', [], { payload: { a: 'y' } })))).toBe('D_COMMAND_ID_REUSED');
    expect(codeOf(accept(ledger, commanding('c1', [], { name: 'Other' })))).toBe('D_COMMAND_ID_REUSED');
    expect(count(ledger, 'commands')).toBe(1);
  });

  test('has its row bound into the event chain by the digest in its first event', () => {
    const ledger = writable();
    const { recorded } = must(accept(ledger, commanding('c1')));
    const digest = ledger.db.prepare('SELECT lower(hex(digest)) FROM commands').pluck().get();
    expect(recorded[0]?.event).toMatchObject({ type: 'CommandAccepted', digest });
  });

  test('moves through its outcomes as its events are recorded', () => {
    const ledger = writable();
    must(accept(ledger, working('c1')));
    const now = { command: 'c1', time: 2_000_000_000_000 };
    const why = failure('D_STEP_FAILED', 'it broke');
    must(record(ledger, now, [{ type: 'CommandFailed', failure: why, standing: [] }]));
    expect(readOutcome(ledger, 'c1')).toMatchObject({ outcome: 'failed', failure: why, lastPosition: 2 });
    must(record(ledger, now, [{ type: 'CommandResumed', owner: { pid: 1, startTime: '1', bootId: 'b' }, from: 1 }]));
    expect(readOutcome(ledger, 'c1')).toMatchObject({ outcome: 'accepted', failure: null, finishedAt: null });
    must(record(ledger, now, [{ type: 'CommandCompleted', leftover: [] }]));
    expect(readOutcome(ledger, 'c1')).toMatchObject({
      outcome: 'completed',
      firstPosition: 1,
      lastPosition: 4,
      finishedAt: 2_000_000_000_000,
    });
  });
});

describe('a transaction', () => {
  test('that dies in the decision or just before its commit leaves nothing, neither in the file nor in what the process knows', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c0', [fact('p', 'old')])));
    const before = readHead(ledger);
    expect(() =>
      accept(ledger, commanding('c1', [fact('p', 'new')]), () => {
        throw new Error('here');
      }),
    ).toThrow('here');
    expect(() =>
      accept(ledger, {
        envelope: envelope('c2'),
        decide: () => {
          throw new Error('there');
        },
      }),
    ).toThrow('there');
    expect(readHead(ledger)).toEqual(before);
    expect(ledger.cache.head).toEqual(before);
    expect(currentHost(ledger).site?.properties).toEqual({ p: 'old' });
    expect(must(accept(ledger, commanding('c1'))).outcome.firstPosition).toBe(3);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('on a full disk is a failure, leaves nothing, and the ledger goes on when there is room again', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c0')));
    ledger.db.pragma(`max_page_count = ${Number(ledger.db.pragma('page_count', { simple: true }))}`);
    const big = Array.from({ length: 200 }, (_, n) => fact(`p${n}`, 'x'.repeat(500)));
    expect(errorOf(accept(ledger, commanding('c1', big)))).toMatchObject({
      code: 'D_DISK_FULL',
      next: 'make room, then repeat the command',
    });
    expect(count(ledger, 'commands')).toBe(1);
    ledger.db.pragma('max_page_count = 1000000');
    expect(must(accept(ledger, commanding('c1', big))).outcome.outcome).toBe('completed');
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('while another connection writes is busy, not an exception', () => {
    const ledger = writable();
    const other = open(ledger.file, 'write');
    ledger.db.pragma('busy_timeout = 10');
    other.db.exec('BEGIN IMMEDIATE');
    expect(codeOf(accept(ledger, commanding('c1')))).toBe('D_BUSY');
    other.db.exec('ROLLBACK');
    expect(codeOf(accept(ledger, commanding('c1')))).toBe('ok');
  });

  test('may hold many commands: a rejected and a conflicting one leave their neighbours alone', () => {
    const ledger = writable();
    must(accept(ledger, commanding('used')));
    const list = [
      commanding('a'),
      rejected('b'),
      commanding('used', [], { payload: 1 }),
      commanding('c'),
      commanding('a'),
    ];
    const answers = must(acceptAll(ledger, list));
    expect(answers.map((one) => (one.ok ? one.value.is : one.error.code))).toEqual([
      'accepted',
      'rejected',
      'D_COMMAND_ID_REUSED',
      'accepted',
      'repeated',
    ]);
    expect(commandsUpTo(ledger).map(({ id }) => id)).toEqual(['used', 'a', 'b', 'c']);
    expect(verifyLedger(ledger).ok).toBe(true);
  });

  test('each command in it is decided on what the ones before it did', () => {
    const ledger = writable();
    const seen: unknown[] = [];
    const looking = {
      envelope: envelope('b'),
      decide: (host: ReturnType<typeof currentHost>) => {
        seen.push(host.site?.properties);
        return err(failure('D_NOT_FOUND', 'no'));
      },
    };
    must(acceptAll(ledger, [commanding('a', [fact('p', '1')]), looking]));
    expect(seen).toEqual([{ p: '1' }]);
  });
});

describe('the command queue', () => {
  test('stores the commands of one turn with one commit, in order, and answers each', async () => {
    const ledger = writable(ledgerFile(), [counting]);
    let commits = 0;
    ledger.committed.add(() => commits++);
    const { submit } = commandQueue(ledger);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => submit(n === 50 ? rejected('c50') : commanding(`c${n}`))),
    );
    expect(commits).toBe(1);
    expect(answers.filter((one) => one.ok && one.value.is === 'accepted')).toHaveLength(99);
    expect(commandsUpTo(ledger).map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => `c${n}`));
  });

  test('answers everybody when the transaction fails, and rejects everybody on a bug', async () => {
    const ledger = writable();
    const { submit } = commandQueue(ledger);
    must(releaseLease(ledger));
    expect((await Promise.all([submit(commanding('a')), submit(commanding('b'))])).map(codeOf)).toEqual([
      'D_STALE_WRITER',
      'D_STALE_WRITER',
    ]);
    must(acquireLease(ledger, thisProcess(), null));
    const bug = {
      envelope: envelope('x'),
      decide: () => {
        throw new Error('bug');
      },
    };
    expect((await Promise.allSettled([submit(commanding('a')), submit(bug)])).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(codeOf(await submit(commanding('a')))).toBe('ok');
  });
});
