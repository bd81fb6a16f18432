import { guestSuites } from './guest-suites.ts';

await guestSuites('faults of the disk under real LVM', ['faults'], 600);
