import type { Failure } from '../../domain/failure.ts';
import type { KeyChange } from '../../domain/qubesdb/key-change.ts';
import type { Result } from '../../domain/result.ts';

/**
 * The QubesDB of VMs, by name. Failures: D_QUBESDB_REFUSED (a path or value that cannot be, or a daemon that says no),
 * D_QUBESDB_UNREACHABLE (no daemon answers), D_QUBESDB_GARBLED (what answers is no daemon).
 */
export type QubesDb = {
  /** The key `path` and all keys below it. */
  readonly read: (vm: string, path: string) => Promise<Result<ReadonlyMap<string, string>, Failure>>;
  /** Makes the changes in order. After a failure some of them, from the front, may have been made. */
  readonly change: (vm: string, changes: readonly KeyChange[]) => Promise<Result<null, Failure>>;
  /** The VM has just started: nothing that was there before counts. A daemon was started with it and is empty already. */
  readonly begin: (vm: string) => Promise<Result<null, Failure>>;
  /** Lets go of every daemon, after its last reply. */
  readonly close: () => Promise<void>;
};
