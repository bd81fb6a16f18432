import type { Recorded } from '../../domain/event.ts';
import { emptyHost, evolve, type Host } from '../../domain/host/host.ts';
import { type Ledger, statement } from './ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';
import { unreadableEvent } from './sqlite-failure.ts';

const PAGE = 1000;

/** Events after `from` up to and including `to`, page by page, so that no read keeps the connection busy. */
export function* eventsBetween(ledger: Ledger, from: number, to: number): Generator<Recorded> {
  const page = statement(
    ledger,
    `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ${PAGE}`,
  ).raw();
  let after = from;
  for (;;) {
    const rows = page.all(after, to) as EventRow[];
    for (const row of rows) yield decode(row);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last[0];
  }
}

const foldPage = (host: Host, rows: readonly EventRow[]): void => {
  let position = host.position;
  try {
    for (const row of rows) {
      [position] = row;
      evolve(host, decode(row));
    }
  } catch (error) {
    throw unreadableEvent(position, error);
  }
};

/** The state at a position, folded from the first event. */
export const foldTo = (ledger: Ledger, to = Number.MAX_SAFE_INTEGER, host: Host = emptyHost()): Host => {
  const page = statement(
    ledger,
    `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ${PAGE}`,
  ).raw();
  while (host.position < to) {
    const rows = page.all(host.position, to) as EventRow[];
    foldPage(host, rows);
    if (rows.length < PAGE) break;
  }
  return host;
};
