import { guestSuites } from './guest-suites.ts';

await guestSuites('real LVM', ['contract', 'words'], 900);
