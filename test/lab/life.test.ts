import { test } from 'vitest';
import { guestSuites } from './guest-suites.ts';
import { isFull } from './machine.ts';

if (isFull) await guestSuites('a large host on real LVM', ['scripted-life', 'adopt', 'cli'], 0);
else test.skip('a large host on real LVM: hours of the lab machine, only in npm run lab:full', () => undefined);
