import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alarmOn } from '../../infrastructure/serve/alarm.ts';
import { fakeClock } from './fake-clock.ts';

const START = 1_700_000_000_000;
const DAY = 86_400_000;

describe('an alarm', () => {
  test('rings at its instant, not a millisecond before, however far away that is', async () => {
    const clock = fakeClock(START);
    const rung: number[] = [];
    const alarm = alarmOn(clock, () => rung.push(clock.now() - START));
    alarm.set(START + 2 * DAY + 1);
    await clock.pass(2 * DAY);
    expect(rung).toEqual([]);
    await clock.pass(10);
    expect(rung).toEqual([2 * DAY + 1]);
    expect(clock.waiting()).toBe(0);
  });

  test('set anew it forgets what it was set to; set to null it never rings', async () => {
    const clock = fakeClock(START);
    const rung: number[] = [];
    const alarm = alarmOn(clock, () => rung.push(clock.now() - START));
    alarm.set(START + 5000);
    alarm.set(START + 300);
    await clock.pass(10_000);
    expect(rung).toEqual([300]);
    alarm.set(START + 11_000);
    alarm.set(null);
    await clock.pass(10_000);
    expect(rung).toEqual([300]);
  });

  test('notices within a second that the clock was set past its instant, and waits longer when it was set back', async () => {
    const step = fc.record({ pass: fc.integer({ min: 0, max: 5000 }), step: fc.integer({ min: -DAY, max: DAY }) });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -1000, max: DAY }), fc.array(step, { maxLength: 8 }), async (at, steps) => {
        const clock = fakeClock(START);
        let rung: number | null = null;
        alarmOn(clock, () => {
          rung = clock.now();
        }).set(START + at);
        let overdue = 0;
        for (const one of steps) {
          clock.step(one.step);
          await clock.pass(one.pass);
          overdue = clock.now() >= START + at ? overdue + one.pass : 0;
          if (rung !== null) break;
          expect(overdue).toBeLessThan(1000);
        }
        if (rung !== null) expect(rung).toBeGreaterThanOrEqual(START + at);
      }),
      { numRuns: 300 },
    );
  });
});
