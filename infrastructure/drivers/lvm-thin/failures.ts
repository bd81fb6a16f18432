import type { Evidence } from '../../../domain/command/events.ts';
import { type Code, type Failure, failure } from '../../../domain/failure.ts';

/** Overcommitting is what thin pools are for; LVM says so at each creation, and stock Qubes drops the line too. */
const NOISE = /exceeds the size of thin pool/;

export const withoutNoise = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !NOISE.test(line))
    .join('\n');

/**
 * What LVM's words mean (spec: lvm §1 to §10). Only for the report: whether a step is done is judged by the state, since
 * "already there" and "not there" end in the same exit code.
 */
const MEANINGS: readonly (readonly [RegExp, Code])[] = [
  [/ in use\.$|Device or resource busy/m, 'D_DEVICE_IN_USE'],
  [/Thin pool \S+ is failed\.$|unexpected transaction id|transaction_id is \d+, while expected/m, 'D_POOL_DAMAGED'],
  [/Thin pool \S+ .*read-only metadata|with read only metadata/, 'D_POOL_READ_ONLY'],
  [/reached threshold|out of data space|No space left on device|insufficient free space/, 'D_DISK_FULL'],
  [/Input\/output error/, 'D_IO_ERROR'],
  [/ NOT reduced\.$/m, 'D_SHRINK'],
  [
    /already exists in volume group|Failed to find logical volume|^\s*Existing logical volume|Snapshot origin LV \S+ not found/m,
    'D_DRIFT',
  ],
  [/^\s*(?:Volume group ".*" not found|Cannot process volume group)/m, 'D_POOL_UNSEEN'],
];

const CAUSE_LENGTH = 500;

export const causeOf = (stderr: string): string => stderr.trim().slice(0, CAUSE_LENGTH);

/** The failure of a program that ended badly. */
export const failureOfProgram = ({ stderr, exitCode }: Evidence, message: string): Failure => {
  const code = MEANINGS.find(([text]) => text.test(stderr))?.[1] ?? 'D_STEP_FAILED';
  return failure(code, message, { cause: causeOf(stderr) || `exit code ${exitCode ?? 'none, it was killed'}` });
};

/** A command killed in the middle has left a message that the kernel carried out already (spec: testbed §2, F1). */
export const isWedged = ({ stderr }: Evidence): boolean =>
  /already contain(?:s)? thin device|Failed to process message/.test(stderr);
