import type { Recorded } from '../../domain/event.ts';
import { type Ledger, statement } from './ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';

/** The events of one stream up to a position, oldest first; `types` only those of these types. By the stream's index. */
export const eventsOfStream = (
  ledger: Ledger,
  stream: string,
  upTo: number,
  types: readonly string[] = [],
): readonly Recorded[] => {
  const only = types.length === 0 ? '' : `AND type IN (${types.map(() => '?').join(', ')})`;
  const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE stream = ? AND position <= ? ${only} ORDER BY version`;
  return (
    statement(ledger, sql)
      .raw()
      .all(stream, upTo, ...types) as EventRow[]
  ).map(decode);
};

const PAGE = 1000;

/** Every event of one stream up to a position, oldest first, page by page: as many as there are, in little room. */
export function* pagesOfStream(ledger: Ledger, stream: string, upTo: number): Generator<Recorded> {
  const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE stream = ? AND position <= ? AND version > ? ORDER BY version LIMIT ${PAGE}`;
  for (let after = 0; ; ) {
    const page = (statement(ledger, sql).raw().all(stream, upTo, after) as EventRow[]).map(decode);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.version;
  }
}

/** Those events at some positions that are of one type. */
export const eventsOfTypeAmong = (ledger: Ledger, type: string, positions: readonly number[]): readonly Recorded[] => {
  const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE position IN (SELECT value FROM json_each(?)) AND type = ?`;
  return (statement(ledger, sql).raw().all(JSON.stringify(positions), type) as EventRow[]).map(decode);
};

/** The ids of the commands of that name, in order of receipt. Reads all of the command log. */
export const commandsNamed = (ledger: Ledger, name: string): readonly string[] =>
  statement(ledger, 'SELECT id FROM commands WHERE name = ? ORDER BY seq').pluck().all(name) as string[];
