import { guestSuites } from './guest-suites.ts';

// Those of a quarter of the half hour that all of them take; all run on the model, and here in npm run lab:full.
const SAMPLE = new RegExp(
  [
    'a VM that is created',
    'without revisions to keep',
    'a commit that died between its renames',
    'what a dead host left',
  ].join('|'),
);

await guestSuites('real LVM', ['storage'], 360, SAMPLE);
