import { beforeAll, describe, expect, test } from 'vitest';
import { type Document, expectRefusal, homeWithWork, type Terminal } from './terminal.ts';

let terminal: Terminal;

// Reading changes nothing, so all tests read the same home.
beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work', '--id', 'the-start');
  await terminal.does('vm', 'stop', 'work', '--id', 'the-stop');
  await terminal.run(['vm', 'start', 'nobody']);
}, 120_000);

type Kind = { readonly name: string; readonly count: number; readonly failed: number; readonly p50Ms: number | null };
type Stats = {
  readonly after: number;
  readonly upTo: number;
  readonly events: number;
  readonly ledgerBytes: number;
  readonly commands: {
    readonly total: number;
    readonly outcomes: Readonly<Record<string, number>>;
    readonly codes: Readonly<Record<string, number>>;
    readonly kinds: readonly Kind[];
  };
  readonly steps: { readonly total: number; readonly kinds: readonly Kind[] };
  readonly pools: readonly {
    readonly pool: string;
    readonly looks: number;
    readonly last: { readonly usedBytes: number };
  }[];
  readonly vms: readonly { readonly vm: string; readonly events: number }[];
};
type Item = { readonly type: string; readonly position: number; readonly command: string };

describe('stats', () => {
  test('counts what the log holds: events, commands by outcome and kind, steps by kind, the busiest VMs', async () => {
    const [stats, events, commands] = [
      await terminal.item<Stats>('stats'),
      await terminal.items<Item>('log'),
      await terminal.items<{ outcome: string; name: string }>('log', '--commands'),
    ];
    expect(stats.events).toBe(events.length);
    expect(stats.ledgerBytes).toBeGreaterThan(50_000);
    expect(stats.commands.total).toBe(commands.length);
    for (const [outcome, count] of Object.entries(stats.commands.outcomes)) {
      expect(commands.filter((one) => one.outcome === outcome)).toHaveLength(count);
    }
    expect(stats.commands.codes).toEqual({ D_NOT_FOUND: 1 });
    const starts = stats.commands.kinds.find(({ name }) => name === 'StartVM');
    expect(starts).toMatchObject({ count: 2, failed: 1, p50Ms: expect.any(Number) });
    expect(stats.steps.total).toBe(events.filter(({ type }) => type === 'StepDone').length);
    expect(stats.steps.kinds.map(({ name }) => name)).toContain('snapshot');
    const work = await terminal.items<Item>('log', 'work');
    expect(stats.vms.find(({ vm }) => vm === 'work')?.events).toBe(work.length);
  });

  test('tells of pools what commands saw, and what it sees itself', async () => {
    const [pool] = (await terminal.item<Stats>('stats')).pools;
    expect(pool).toMatchObject({ pool: 'default', last: { usedBytes: expect.any(Number) } });
    const [past] = (await terminal.item<Stats>('stats', '--at', '@')).pools;
    expect(past?.looks).toBe((pool?.looks ?? 0) - 1);
  });

  test('tells a part of the log, in which a command that ended later is open', async () => {
    const accepted = (await terminal.items<Item>('log', 'cmd:the-start'))[0]?.position ?? 0;
    const part = await terminal.item<Stats>('stats', '--since', `ev:${accepted}`, '--until', `ev:${accepted + 1}`);
    expect(part).toMatchObject({ after: accepted - 1, upTo: accepted + 1, events: 2 });
    expect(part.commands.outcomes).toEqual({ accepted: 1 });
    const { item } = JSON.parse(
      (await terminal.run(['stats', '--json', '--at', `ev:${accepted + 1}`])).out,
    ) as Document<Stats>;
    expect(item?.commands.outcomes).toMatchObject({ accepted: 1 });
    expect(item?.commands.kinds.find(({ name }) => name === 'StopVM')).toBeUndefined();
  });

  test('fits a screen of 80 by 24, in letters that any terminal has where it must', async () => {
    const page = await terminal.does('stats', '--ascii');
    const lines = page.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(page).toMatch(/^[\x0a\x20-\x7e]*$/);
    expect(page).toMatch(/^COMMANDS {2}\d+ completed, 1 refused$/m);
    expectRefusal(await terminal.run(['stats', '-n', 'x']), 'D_USAGE');
    expectRefusal(await terminal.run(['stats', 'work']), 'D_USAGE');
  });
});

describe('a look into the past', () => {
  test('shows a command as it stood then, and none that came later', async () => {
    const [first] = await terminal.items<Item>('log', 'cmd:the-start');
    const then = `ev:${(first?.position ?? 0) + 1}`;
    expect(await terminal.item('show', 'cmd:the-start')).toMatchObject({ outcome: 'completed' });
    expect(await terminal.item('show', 'cmd:the-start', '--at', then)).toMatchObject({ outcome: 'accepted' });
    const commands = await terminal.items<{ id: string; outcome: string }>('log', '--commands', '--at', then);
    expect(commands.at(-1)).toMatchObject({ id: 'the-start', outcome: 'accepted' });
    expectRefusal(await terminal.run(['show', 'cmd:the-stop', '--at', then]), 'D_NOT_FOUND');
  });

  test('is never a change: --at and --db are refused with what changes something, and nothing is done', async () => {
    const head = (await terminal.items<Item>('log')).length;
    for (const option of [
      ['--db', `${terminal.home}/ledger.db`],
      ['--at', 'ev:5'],
    ]) {
      for (const change of [
        ['vm', 'remove', 'work', '--yes'],
        ['undo', '--yes'],
        ['gc', '--yes'],
        ['recover'],
        ['serve', '--once'],
      ]) {
        expectRefusal(await terminal.run([...change, ...option]), 'D_USAGE');
      }
    }
    expect((await terminal.items<Item>('log')).length).toBe(head);
  });
});

test('--since a moment begins with what happened at that very moment, and knows the words people use', async () => {
  const events = await terminal.items<Item & { time: string }>('log');
  const { time = '' } = events.at(-3) ?? {};
  const since = await terminal.items<Item>('log', '--since', time);
  expect(since.map(({ position }) => position)).toEqual(
    events.filter((one) => one.time >= time).map(({ position }) => position),
  );
  expect(await terminal.items('log', '--since', 'yesterday')).toHaveLength(events.length);
  expect(await terminal.items('log', '--since=-1d', '--until', 'now')).toHaveLength(events.length);
  expect(await terminal.items('log', '--until', '2 days ago')).toEqual([]);
});
