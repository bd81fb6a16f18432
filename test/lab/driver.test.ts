import { guestSuites } from './guest-suites.ts';

await guestSuites('real LVM', ['words', 'contract'], 300);
