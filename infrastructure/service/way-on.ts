import type { Code } from '../../domain/failure.ts';

/** What helps when a step met it; what the command had done is taken back by then. */
const WAYS: Partial<Readonly<Record<Code, string>>> = {
  D_DEVICE_IN_USE: 'close it, then repeat the command',
  D_DISK_FULL: 'make room (domtrail gc, or enlarge the pool), then repeat the command',
  D_DRIFT: 'domtrail drift   (says what is not as the log left it, and what to do about it)',
  D_IO_ERROR: 'see which disk it is (dmesg), save what matters, then repeat the command',
  D_POOL_DAMAGED: 'docs/failure-modes.md, "A pool that is damaged"',
  D_POOL_READ_ONLY: 'docs/failure-modes.md, "A pool that takes no writes"',
  D_POOL_UNSEEN: 'see that its disk is there (lvm pvs), then repeat the command',
};

/** What a person can do about a command that a step's failure ended. */
export const wayOn = (code: Code): string | undefined => WAYS[code];
