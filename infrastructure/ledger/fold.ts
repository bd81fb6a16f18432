import type { Recorded } from '../../domain/event.ts';
import { type EntityKey, evolve, type Host } from '../../domain/host/host.ts';
import { hostAtBeginning } from './beginning.ts';
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

const evolveOne = (host: Host, recorded: Recorded): EntityKey => {
  try {
    return evolve(host, recorded);
  } catch (error) {
    throw unreadableEvent(recorded.position, error);
  }
};

/** What wants to see each event as it is folded in, with the key of the value that it changed. */
export type Onlooker = (recorded: Recorded, touched: EntityKey) => void;

/** The state at a position: `host` taken on from where it stands, by default from the beginning. */
export const foldTo = (
  ledger: Ledger,
  to = Number.MAX_SAFE_INTEGER,
  host: Host = hostAtBeginning(ledger),
  onlooker?: Onlooker,
): Host => {
  const page = statement(
    ledger,
    `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ${PAGE}`,
  ).raw();
  while (host.position < to) {
    const rows = page.all(host.position, to) as EventRow[];
    for (const row of rows) {
      const recorded = decode(row);
      const touched = evolveOne(host, recorded);
      onlooker?.(recorded, touched);
    }
    if (rows.length < PAGE) break;
  }
  return host;
};
