import { test } from 'vitest';
import { guestSuites } from './guest-suites.ts';
import { isFull } from './machine.ts';

const SUITES = ['killed-lvm', 'crashes', 'scripted-life', 'adopt', 'backup', 'cli'];

// Hours of the lab machine.
if (isFull) await guestSuites('lives and deaths on real LVM', SUITES, 0);
else test.skip(`${SUITES.join(', ')} on real LVM: only in npm run lab:full`, () => undefined);
