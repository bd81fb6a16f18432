import type { CouldFree } from './pool/could-free.ts';

/**
 * Every refusal and failure a user can meet, with the exit code it ends in (docs: `domtrail explain CODE`).
 * Codes are stored in the log: they are never renamed, only added.
 */
export const EXIT_OF = {
  D_ABANDONED: 1,
  D_BACKUP_INVALID: 6,
  D_BAD_INPUT: 64,
  D_BUSY: 5,
  D_CANNOT_UNDO: 4,
  D_CHECK_FAILED: 1,
  D_CLASS_REFUSES: 4,
  D_COMMAND_ID_REUSED: 4,
  D_DEVICE_IN_USE: 5,
  D_DIRTY: 4,
  D_DISK_FULL: 1,
  D_DOCUMENT_REFUSED: 1,
  D_DRIFT: 4,
  D_DRIVER_REFUSES: 4,
  D_EXISTS: 4,
  D_FIREWALL_RULE_INVALID: 64,
  D_FIREWALL_TOO_LARGE: 64,
  D_FIREWALL_XML_INVALID: 1,
  D_FIREWALL_XML_UNSAFE: 7,
  D_HOME_FOREIGN: 4,
  D_HOME_MISSING: 3,
  D_HOME_NEWER: 4,
  D_HOME_UNREADABLE: 1,
  D_IN_USE: 4,
  D_INCOMPLETE: 1,
  D_INPUT_CHANGED: 4,
  D_INTERRUPTED: 130,
  D_NAME_UNSAFE: 7,
  D_IO_ERROR: 1,
  D_KEY_EXPOSED: 7,
  D_NEEDS_YES: 7,
  D_NOT_BUILT: 1,
  D_NOT_FOUND: 3,
  D_NOT_HALTED: 4,
  D_NOT_PROVEN: 4,
  D_NOT_RUNNING: 4,
  D_NOTHING_COMMITTED: 4,
  D_PINNED: 7,
  D_POOL_DAMAGED: 1,
  D_POOL_READ_ONLY: 4,
  D_POOL_RESERVE: 7,
  D_POOL_UNSEEN: 75,
  D_PROPERTY_INVALID: 4,
  D_QUBESDB_GARBLED: 1,
  D_QUBESDB_REFUSED: 1,
  D_QUBESDB_UNREACHABLE: 75,
  D_READ_ONLY: 4,
  D_REFERENCE_INVALID: 4,
  D_SHRINK: 7,
  D_SOURCE_INVALID: 4,
  D_SPEC_INVALID: 4,
  D_SQLITE_UNSAFE: 1,
  D_STEP_FAILED: 1,
  D_STALE_WRITER: 5,
  D_STALLED: 124,
  D_STREAM_VERSION: 4,
  D_STUCK: 1,
  D_TOO_MUCH_DATA: 1,
  D_UNDONE: 1,
  D_USAGE: 64,
  D_VERIFY: 6,
  D_XML_FOREIGN_CHANGE: 4,
} as const;

export type Code = keyof typeof EXIT_OF;

/** A refusal as data: `message` is one sentence, `next` a line that can be typed, `holder` the command in the way. */
export type Failure = {
  readonly code: Code;
  readonly message: string;
  readonly cause?: string;
  readonly next?: string;
  readonly holder?: string;
  readonly position?: number;
  /** what would make room, where room is what is missing */
  readonly couldFree?: readonly CouldFree[];
};

export const failure = (code: Code, message: string, more: Omit<Failure, 'code' | 'message'> = {}): Failure => ({
  code,
  message,
  ...more,
});

export const exitOf = (code: Code): number => EXIT_OF[code];
