import { type EntityKey, emptyHost, type Host, restoreEntity } from '../../domain/host/host.ts';
import type { Connection } from './connection.ts';
import { GENESIS } from './hashes.ts';
import { type Ledger, statement } from './ledger.ts';
import type { StoredOutcome } from './outcomes.ts';

/**
 * What an exported bundle says about itself (docs/format.md, "A bundle"). `after` and `to`: its events are those after one
 * position up to another. `ledger`, `base` and `head`: hashes of the first event, of the one at `after`, and of the one at
 * `to` in the log it was made from; the first two are null in a redacted one, where they would let names be guessed.
 */
export type About = {
  readonly format: 'domtrail/bundle/1';
  readonly redacted: boolean;
  readonly after: number;
  readonly to: number;
  readonly ledger: string | null;
  readonly base: string | null;
  readonly head: string;
};

export const BUNDLE_SCHEMA = `
  CREATE TABLE bundle (one INTEGER PRIMARY KEY CHECK (one = 1), about TEXT NOT NULL CHECK (json_valid(about)), begins BLOB NOT NULL CHECK (length(begins) = 32)) STRICT;
  CREATE TABLE base (what TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (what, key)) STRICT;`;

/** Where a ledger begins: before its first event, or in a bundle after the events that were left out. */
export type Beginning = { readonly position: number; readonly hash: string; readonly about: About | null };

const WHOLE: Beginning = { position: 0, hash: GENESIS, about: null };
const BEGINNINGS = new WeakMap<Connection, Beginning>();

const isBundle = (ledger: Pick<Ledger, 'db'>): boolean =>
  statement(ledger, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'bundle'").get() !== undefined;

const read = (ledger: Pick<Ledger, 'db'>): Beginning => {
  if (!isBundle(ledger)) return WHOLE;
  const row = statement(ledger, 'SELECT about, lower(hex(begins)) AS begins FROM bundle').get() as
    | { about: string; begins: string }
    | undefined;
  if (!row) return WHOLE;
  const about = JSON.parse(row.about) as About;
  return { position: about.after, hash: row.begins, about };
};

export const beginningOf = (ledger: Pick<Ledger, 'db'>): Beginning => {
  const known = BEGINNINGS.get(ledger.db);
  if (known) return known;
  const found = read(ledger);
  BEGINNINGS.set(ledger.db, found);
  return found;
};

const baseRows = (ledger: Ledger, what: string): readonly (readonly [key: string, value: string])[] =>
  beginningOf(ledger).position === 0
    ? []
    : (statement(ledger, 'SELECT key, value FROM base WHERE what = ? ORDER BY rowid').raw().all(what) as [
        string,
        string,
      ][]);

/** The state before a ledger's first event: nothing, or what a bundle says that there was. */
export const hostAtBeginning = (ledger: Ledger): Host => {
  const host = emptyHost();
  for (const [key, value] of baseRows(ledger, 'entity')) restoreEntity(host, key, JSON.parse(value));
  host.position = beginningOf(ledger).position;
  return host;
};

export const keysAtBeginning = (ledger: Ledger): readonly EntityKey[] => baseRows(ledger, 'entity').map(([key]) => key);

/** The commands that were under way when a bundle begins, and how they stood. */
export const outcomesAtBeginning = (ledger: Ledger): Map<string, StoredOutcome> =>
  new Map(baseRows(ledger, 'outcome').map(([id, value]) => [id, JSON.parse(value) as StoredOutcome]));

export type Decided = { readonly digest: string; readonly position: number };

/** What the decisions of those commands bound, for their rows to be held against. */
export const digestsAtBeginning = (ledger: Ledger): Map<string, Decided> =>
  new Map(baseRows(ledger, 'digest').map(([id, value]) => [id, JSON.parse(value) as Decided]));
