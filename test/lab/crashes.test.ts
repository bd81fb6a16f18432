import { guestSuites } from './guest-suites.ts';

await guestSuites('our process killed over real LVM', ['crashes'], 180);
