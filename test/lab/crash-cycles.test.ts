import { describe, expect, test } from 'vitest';
import { hostDriver, PATIENCE, said } from './host-driver.ts';
import { isFull } from './machine.ts';

const { isThere, why } = hostDriver();

/** The counts that the promises name, and the sample that fits into `npm test`. */
const cycles = (full: number, sample: number): string => `${isFull ? full : sample}`;

describe.skipIf(!isThere)(`dom0 dies and comes back${why}`, () => {
  test('killed at a random instant under load: no acknowledged command is lost', { timeout: PATIENCE }, async () => {
    expect(await said('crash', '--cycles', cycles(30, 3))).toContain('none lost');
  });

  test.each(isFull ? ['none', 'prefix', 'random'] : ['random'])(
    'the power fails, and of what was not flushed survives: %s',
    { timeout: PATIENCE },
    async (power) => {
      expect(await said('crash', '--cycles', cycles(20, 2), '--power', power)).toContain('none lost');
    },
  );
});
