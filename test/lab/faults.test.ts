import { test } from 'vitest';
import { guestSuites } from './guest-suites.ts';
import { isFull } from './machine.ts';

if (isFull) await guestSuites('faults of the disk under real LVM', ['faults'], 120);
else
  test.skip('faults of the disk under real LVM: left out of the sample, npm run lab:full adds them', () => undefined);
