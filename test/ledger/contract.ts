import { describe, expect, test } from 'vitest';
import type { DomainEvent, Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import type { Expected } from '../../infrastructure/ledger/append.ts';
import { fact } from './fixture.ts';

/** What every event store must offer to be held against this contract. `append` gives the last position. */
export type Store = {
  readonly append: (stream: string, events: readonly DomainEvent[], expected: Expected) => Result<number, Failure>;
  readonly all: () => readonly Recorded[];
  readonly stream: (name: string) => readonly Recorded[];
};

const versions = (events: readonly Recorded[]): readonly number[] => events.map(({ version }) => version);
const one = (name = 'p') => [fact(name)];

const refused = (result: Result<number, Failure>): Failure => {
  if (result.ok) throw new Error('the append was not refused');
  return result.error;
};

/** The defects named here were found in another SQLite event store by running it (Emmett; the ledger's specification, section 2). */
export const storeContract = (name: string, create: () => Store): void => {
  describe(`${name}: what any event store must do`, () => {
    test('events come back in the order and with the content they were appended with', () => {
      const store = create();
      store.append('a', [fact('x', '1'), fact('y', 'é\u2028"\\\n')], 'any');
      store.append('b', [fact('z', null)], 'any');
      expect(store.all().map(({ event }) => event)).toEqual([
        fact('x', '1'),
        fact('y', 'é\u2028"\\\n'),
        fact('z', null),
      ]);
      expect(store.stream('b').map(({ position }) => position)).toEqual([3]);
    });

    test('positions are contiguous from 1 over all streams', () => {
      const store = create();
      for (const stream of ['a', 'b', 'a', 'c', 'b']) store.append(stream, one(), 'any');
      expect(store.all().map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    });

    test('an exact expected version that holds lets the events in', () => {
      const store = create();
      expect(store.append('a', one(), 0).ok).toBe(true);
      expect(store.append('a', one(), 1).ok).toBe(true);
      expect(versions(store.stream('a'))).toEqual([1, 2]);
    });

    test('a stale expected version is refused and leaves the stream untouched: the next event follows without a hole', () => {
      const store = create();
      store.append('a', [fact('1'), fact('2'), fact('3')], 'any');
      expect(refused(store.append('a', one(), 2)).code).toBe('D_STREAM_VERSION');
      expect(versions(store.stream('a'))).toEqual([1, 2, 3]);
      store.append('a', [fact('4'), fact('5')], 3);
      expect(versions(store.stream('a'))).toEqual([1, 2, 3, 4, 5]);
      expect(store.all().map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    });

    test('"no stream" on a stream that exists is refused', () => {
      const store = create();
      expect(store.append('a', one(), 'no-stream').ok).toBe(true);
      expect(refused(store.append('a', one(), 'no-stream')).code).toBe('D_STREAM_VERSION');
      expect(versions(store.stream('a'))).toEqual([1]);
    });

    test('"stream exists" on a stream that does not is refused', () => {
      const store = create();
      expect(refused(store.append('a', one(), 'stream-exists')).code).toBe('D_STREAM_VERSION');
      store.append('a', one(), 'any');
      expect(store.append('a', one(), 'stream-exists').ok).toBe(true);
    });

    test('a conflict tells the version the stream really has', () => {
      const store = create();
      store.append('a', [fact('1'), fact('2'), fact('3')], 'any');
      expect(refused(store.append('a', one(), 7)).message).toContain('at version 3, expected 7');
      expect(refused(store.append('none', one(), 7)).message).toContain('at version 0, expected 7');
    });

    test('versions go on over several appends, they do not begin again with each', () => {
      const store = create();
      store.append('a', [fact('1'), fact('2')], 'any');
      store.append('a', [fact('3'), fact('4')], 'any');
      expect(versions(store.stream('a'))).toEqual([1, 2, 3, 4]);
    });

    test('a stream is new exactly when its first event has version 1', () => {
      const store = create();
      store.append('a', one(), 'any');
      store.append('a', one(), 'any');
      expect(store.stream('a').filter(({ version }) => version === 1)).toHaveLength(1);
    });

    test('streams keep the names they are given', () => {
      const store = create();
      for (const stream of ['volume/work:private', 'vm/a.b_c-d', 'pool/é']) store.append(stream, one(), 'no-stream');
      expect(store.all().map(({ stream }) => stream)).toEqual(['volume/work:private', 'vm/a.b_c-d', 'pool/é']);
    });

    test('times keep their milliseconds', () => {
      const store = create();
      store.append('a', one(), 'any');
      expect(store.all()[0]?.time).toBe(1_700_000_000_123);
    });

    test('nothing is appended when one of several events cannot be stored', () => {
      const store = create();
      const circular = { ...fact('x') } as Record<string, unknown>;
      circular['self'] = circular;
      expect(() => store.append('a', [fact('good'), circular as unknown as DomainEvent], 'any')).toThrow();
      expect(store.all()).toEqual([]);
      store.append('a', one(), 'no-stream');
      expect(versions(store.stream('a'))).toEqual([1]);
    });
  });
};
