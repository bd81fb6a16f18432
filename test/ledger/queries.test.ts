import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { pageOfEvents, type Range, type Which } from '../../infrastructure/ledger/event-pages.ts';
import type { Ledger } from '../../infrastructure/ledger/ledger.ts';
import {
  bootsUpTo,
  commandsUpTo,
  eventAt,
  eventsOfCommand,
  findCommand,
  positionAt,
  timeOf,
} from '../../infrastructure/ledger/queries.ts';
import { append } from '../../infrastructure/ledger/record.ts';
import { codeOf, commanding, errorOf, fact, must, rejected, writable } from './fixture.ts';

const T = 1_700_000_000_000;

const history = (): Ledger => {
  const ledger = writable();
  must(accept(ledger, commanding('abcd-1', [fact('p')], { receivedAt: T })));
  must(accept(ledger, rejected('abcd-2')));
  must(accept(ledger, commanding('efgh-3', [fact('q')], { receivedAt: T + 1000 })));
  return ledger;
};

describe('boots', () => {
  test('are told newest first, each with its events, up to a position', () => {
    const ledger = writable();
    for (const [id, bootId] of [
      ['c1', 'one'],
      ['c2', 'two'],
      ['c3', 'two'],
      ['c4', 'three'],
    ] as const) {
      must(accept(ledger, commanding(id, [fact(id)], { context: { bootId } })));
    }
    expect([...bootsUpTo(ledger, 8)]).toEqual([
      { after: 6, to: 8 },
      { after: 2, to: 6 },
      { after: 0, to: 2 },
    ]);
    expect([...bootsUpTo(ledger, 5)]).toEqual([
      { after: 2, to: 5 },
      { after: 0, to: 2 },
    ]);
  });
});

describe('positions', () => {
  test('can be written as event, head, one command back, or time', () => {
    const ledger = history();
    const at = (text: string) => must(positionAt(ledger, text));
    expect(['3', 'ev:3', '@', '@-', 'ev:0'].map(at)).toEqual([3, 3, 5, 3, 0]);
    expect(
      ['2023-11-14T22:13:20Z', '2023-11-14T22:13:21.500Z', '2023-11-14T23:13:20+01:00', '2001-01-01'].map(at),
    ).toEqual([2, 5, 2, 0]);
    expect(['ev:6', '99', 'soon', 'ev:x', ''].map((text) => codeOf(positionAt(ledger, text)))).toEqual([
      'D_NOT_FOUND',
      'D_NOT_FOUND',
      'D_USAGE',
      'D_USAGE',
      'D_USAGE',
    ]);
  });

  test('know their time and their event', () => {
    const ledger = history();
    expect([timeOf(ledger, 1), timeOf(ledger, 9)]).toEqual([T, null]);
    expect(eventAt(ledger, 2)).toMatchObject({ position: 2, stream: 'host', event: fact('p') });
    expect(eventAt(ledger, 9)).toBe(null);
  });
});

describe('commands', () => {
  test('come in the order of receipt, up to a position', () => {
    const ledger = history();
    expect(commandsUpTo(ledger).map(({ id, outcome }) => `${id} ${outcome.outcome}`)).toEqual([
      'abcd-1 completed',
      'abcd-2 rejected',
      'efgh-3 completed',
    ]);
    expect(commandsUpTo(ledger, 2)).toHaveLength(1);
    expect(eventsOfCommand(ledger, 'efgh-3').map(({ position }) => position)).toEqual([4, 5]);
  });

  test('are found by id, or by a beginning that fits only one', () => {
    const ledger = history();
    expect(must(findCommand(ledger, 'abcd-1')).seq).toBe(1);
    expect(must(findCommand(ledger, 'efgh')).seq).toBe(3);
    expect(errorOf(findCommand(ledger, 'abcd'))).toMatchObject({
      code: 'D_NOT_FOUND',
      message: '2 commands begin with abcd',
    });
    expect(['efg', 'none', "' OR 1=1", '%'].map((id) => codeOf(findCommand(ledger, id)))).toEqual(
      Array(4).fill('D_NOT_FOUND'),
    );
  });
});

describe('pages of events', () => {
  const all: Range = { after: 0, upTo: 1e9, limit: 1e9, newestFirst: false };
  const positions = (ledger: Ledger, which: Which, range: Partial<Range> = {}) =>
    pageOfEvents(ledger, which, { ...all, ...range }).map(({ recorded }) => recorded.position);

  test('carry who caused the event, its stored schema version and its hash', () => {
    const ledger = history();
    const [first] = pageOfEvents(ledger, { by: 'all' }, all);
    expect(first).toMatchObject({
      schemaVersion: 1,
      actor: { user: 'ada' },
      recorded: { position: 1, command: 'abcd-1' },
    });
    expect(first?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('go forwards and backwards, within limits', () => {
    const ledger = history();
    expect(positions(ledger, { by: 'all' }, { limit: 2 })).toEqual([1, 2]);
    expect(positions(ledger, { by: 'all' }, { after: 2, limit: 2 })).toEqual([3, 4]);
    expect(positions(ledger, { by: 'all' }, { upTo: 4, limit: 2, newestFirst: true })).toEqual([4, 3]);
  });

  test('are of a stream, a command, a type, or a VM with its volumes and nobody else', () => {
    const ledger = history();
    const streams = [
      'vm/work',
      'volume/work:root',
      'volume/work:private',
      'vm/work2',
      'volume/work2:root',
      'volume/work-x:root',
      'vm/wor',
    ];
    must(
      append(
        ledger,
        { command: 'x', time: 1 },
        streams.map((stream) => ({ stream, event: fact('s') })),
        new Map(),
      ),
    );
    expect(positions(ledger, { by: 'vm', value: 'work' })).toEqual([6, 7, 8]);
    expect(positions(ledger, { by: 'stream', value: 'host' })).toEqual([2, 5]);
    expect(positions(ledger, { by: 'command', value: 'efgh-3' })).toEqual([4, 5]);
    expect(positions(ledger, { by: 'type', value: 'CommandRejected' })).toEqual([3]);
    expect(pageOfEvents(ledger, { by: 'stream', value: 'vm/wor' }, all)[0]?.actor).toBe(null);
  });
});
