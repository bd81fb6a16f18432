import type { Recorded } from '../../domain/event.ts';
import type { Host } from '../../domain/host/host.ts';

type Value = string | number | null;

/** SQL for projections: statements are prepared once per text. */
export type Sql = {
  readonly run: (sql: string, ...values: readonly Value[]) => void;
  readonly all: (sql: string, ...values: readonly Value[]) => readonly Readonly<Record<string, Value>>[];
};

/**
 * A read model kept in the ledger's database, brought up in the same transaction as the events. `schema` and `apply` name
 * their tables with the prefix they are given, so that a rebuild can fill shadow tables beside the live ones.
 */
export type Projection = {
  readonly name: string;
  /** another number than the stored one: fold again from the start */
  readonly version: number;
  readonly tables: readonly string[];
  readonly schema: (prefix: string) => string;
  /** `host` is the state after the event */
  readonly apply: (sql: Sql, prefix: string, recorded: Recorded, host: Host) => void;
};
