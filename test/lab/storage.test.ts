import { guestSuites } from './guest-suites.ts';

// A third of the half hour that all of them take: where LVM's own answers matter most.
const SAMPLE = new RegExp(
  [
    'a VM that is created',
    'without revisions to keep',
    'a commit that died between its renames',
    'a resize reaches',
    'an import gives another disk',
    'a commit under a running VM',
    ' rules ',
  ].join('|'),
);

await guestSuites('real LVM', ['storage'], 360, SAMPLE);
