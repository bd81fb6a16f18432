import { describe, expect, test } from 'vitest';
import { hostDriver, PATIENCE, said } from './host-driver.ts';
import { isFull } from './machine.ts';

const { isThere, why } = hostDriver();

/** All of them take hours; each run of `npm test` takes others. */
const chosen = (): string[] => {
  if (isFull) return [];
  return ['snapshot', 'stop', '--sample', '30', '--seed', `${Math.floor(Math.random() * 30)}`];
};

describe.skipIf(!isThere)(`the disk stops before a write or a flush${why}`, () => {
  test('at every place in a command: what recovery leaves is the state before or after', {
    timeout: PATIENCE,
  }, async () => {
    const told = await said('points', ...chosen());
    const count = (what: RegExp): number => told.match(what)?.length ?? 0;
    expect(count(/: every promise kept/g)).toBeGreaterThan(0);
    expect(count(/: every promise kept/g)).toBe(count(/ points, cut /g));
  });
});
