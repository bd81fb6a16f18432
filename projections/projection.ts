import type { Recorded } from '../domain/event.ts';
import type { Host } from '../domain/host/host.ts';

type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/** SQL as projections use it: statements are prepared once per text. */
export type Sql = {
  readonly run: (sql: string, ...values: readonly Value[]) => void;
  readonly all: (sql: string, ...values: readonly Value[]) => readonly Row[];
};

/**
 * A read model as a fold over the log into tables. Whoever runs it commits the rows together with a checkpoint; `apply`
 * only writes rows, and only from its arguments, so that the same log always gives the same rows. Every table is named
 * with the prefix, so that a rebuild can fill tables beside the live ones.
 */
export type Projection = {
  readonly name: string;
  /** raise it when other rows would come out of the same log */
  readonly version: number;
  readonly tables: readonly string[];
  readonly schema: (prefix: string) => string;
  /** `host` is the state after the event */
  readonly apply: (sql: Sql, prefix: string, recorded: Recorded, host: Host) => void;
  /** rows are only added and each names its position: bounded by one, the tables of today answer for the past, too */
  readonly onlyGrows?: true;
};

/** Keeps what is made from a prefix: an SQL text that is put together anew for each event costs more than running it. */
export const perPrefix = <T>(make: (prefix: string) => T): ((prefix: string) => T) => {
  const made = new Map<string, T>();
  return (prefix) => {
    const known = made.get(prefix);
    if (known !== undefined) return known;
    const fresh = make(prefix);
    made.set(prefix, fresh);
    return fresh;
  };
};

const wrong = (column: string, value: Value | undefined): Error =>
  new Error(`column ${column} holds ${JSON.stringify(value)}`);

export const textIn = (row: Row, column: string): string => {
  const value = row[column];
  if (typeof value !== 'string') throw wrong(column, value);
  return value;
};

export const textOrNullIn = (row: Row, column: string): string | null =>
  row[column] === null ? null : textIn(row, column);

export const numberIn = (row: Row, column: string): number => {
  const value = row[column];
  if (typeof value !== 'number') throw wrong(column, value);
  return value;
};

export const numberOrNullIn = (row: Row, column: string): number | null =>
  row[column] === null ? null : numberIn(row, column);
