import { expect, test, vi } from 'vitest';
import * as to from '../domain/commands.ts';
import { modelHands } from './hands.ts';
import { lvmHost } from './lvm-host.ts';
import { committed, kept, session, withWork } from './suite.ts';

const KEY = 'work:private';

test('a clock that is stepped by an hour forth and back changes no order and prunes nothing', async () => {
  const host = await lvmHost(modelHands());
  await withWork(host);
  await host.does(to.keep(KEY, 5));
  const real = Date.now;
  try {
    for (const [hours, text] of [
      [0, 'first'],
      [1, 'later'],
      [-1, 'early'],
      [0, 'again'],
    ] as const) {
      vi.spyOn(Date, 'now').mockImplementation(() => real() + hours * 3_600_000);
      await session(host, KEY, text);
    }
    expect(await kept(host, KEY)).toEqual(['.....', 'first', 'later', 'early']);
    await host.does(to.revert(KEY));
    expect(await committed(host, KEY)).toBe('early');
    expect(await host.problems()).toEqual([]);
  } finally {
    vi.restoreAllMocks();
    await host.cleanup();
  }
});
