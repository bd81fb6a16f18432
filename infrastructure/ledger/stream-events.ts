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

/** The ids of the commands of that name, in order of receipt. Reads all of the command log. */
export const commandsNamed = (ledger: Ledger, name: string): readonly string[] =>
  statement(ledger, 'SELECT id FROM commands WHERE name = ? ORDER BY seq').pluck().all(name) as string[];
