import { guestSuites } from './guest-suites.ts';

await guestSuites('real LVM', ['storage'], 420);
