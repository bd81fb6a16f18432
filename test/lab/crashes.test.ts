import { guestSuites } from './guest-suites.ts';

// Without the stop, whose renames and removals are killed one by one.
const SAMPLE = /a snapshot is of the moment|a phantom|a create is done again|killed at fault point/;

await guestSuites('killed over real LVM', ['killed-lvm', 'crashes'], 300, SAMPLE);
