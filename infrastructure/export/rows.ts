import type { Recorded } from '../../domain/event.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from '../ledger/rows.ts';

/** A command's row; hashes as hexadecimal text. */
export type CommandRow = {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly schemaVersion: number;
  readonly payload: string;
  readonly payloadHash: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly context: string;
  readonly receivedAt: number;
  readonly position: number;
  readonly digest: string;
};

/** An event's row as it is stored, with its three hashes. */
export type StoredEvent = {
  readonly row: EventRow;
  readonly dataHash: string;
  readonly previous: string;
  readonly hash: string;
};

export const recordedOf = ({ row }: StoredEvent): Recorded => decode(row);

const COMMANDS = `SELECT seq, id, name, schema_version AS schemaVersion, payload, lower(hex(payload_hash)) AS payloadHash, actor,
  reason, context, received_at AS receivedAt, position, lower(hex(digest)) AS digest FROM commands WHERE position <= ? ORDER BY seq`;

/** The commands decided up to a position, in order of receipt. */
export const commandRows = (ledger: Ledger, to: number): IterableIterator<CommandRow> =>
  statement(ledger, COMMANDS).iterate(to) as IterableIterator<CommandRow>;

const PAGE = 1000;
const EVENTS = `SELECT ${EVENT_COLUMNS}, lower(hex(data_hash)), lower(hex(prev_hash)), lower(hex(hash)) FROM events
  WHERE position > ? AND position <= ? ORDER BY position LIMIT ${PAGE}`;

type Row = readonly [...EventRow, dataHash: string, previous: string, hash: string];

/** The events after one position up to another, page by page. */
export function* eventRows(ledger: Ledger, after: number, to: number): Generator<StoredEvent> {
  const page = statement(ledger, EVENTS).raw();
  for (let from = after; ; ) {
    const rows = page.all(from, to) as unknown as readonly Row[];
    for (const row of rows) {
      yield { row: row.slice(0, 8) as unknown as EventRow, dataHash: row[8], previous: row[9], hash: row[10] };
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    from = last[0];
  }
}
