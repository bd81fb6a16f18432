import { copyOfHost } from '../../domain/host/copy-host.ts';
import { evolve, type Host } from '../../domain/host/host.ts';
import { beginningOf, type Decided, digestsAtBeginning, hostAtBeginning, outcomesAtBeginning } from './beginning.ts';
import { eventHash, sha256 } from './hashes.ts';
import { type Ledger, statement } from './ledger.ts';
import { followOutcome, type StoredOutcome } from './outcomes.ts';
import type { Projection } from './projection.port.ts';
import { emptyShadow, type Shadow } from './projections.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';
import { LogDamaged } from './sqlite-failure.ts';

export type Bad = { readonly position: number; readonly why: string };

/** The three hashes come as one text: a call of SQLite's for each would cost as much as hashing. */
type HashedRow = readonly [...EventRow, hashes: string];

const DIGITS = 64;

const PAGE = 1000;
const HASHED = `${EVENT_COLUMNS}, lower(hex(data_hash) || hex(prev_hash) || hex(hash))`;

/** What one pass over the events found: the first bad one of each kind, and everything that the log says must be so. */
export type Walk = {
  events: number;
  position: number;
  hash: string;
  /** where the log begins: after 0, but for a bundle of later events */
  readonly begins: number;
  readonly versions: Map<string, number>;
  readonly digests: Map<string, Decided>;
  readonly outcomes: Map<string, StoredOutcome>;
  readonly host: Host;
  /** where the stored copy of the state stands, and the state there */
  readonly stored: number;
  then: Host | null;
  chain: Bad | null;
  order: Bad | null;
  fold: Bad | null;
  /** what the projections make of the same events, beside their stored tables */
  readonly replays: readonly Replay[];
};

type Replay = { readonly projection: Projection; readonly shadow: Shadow };

/** Whoever gives projections closes the walk. */
export const walkFrom = (ledger: Ledger, stored = 0, projections: readonly Projection[] = []): Walk => ({
  events: 0,
  position: beginningOf(ledger).position,
  hash: beginningOf(ledger).hash,
  begins: beginningOf(ledger).position,
  versions: new Map(),
  digests: digestsAtBeginning(ledger),
  outcomes: outcomesAtBeginning(ledger),
  host: hostAtBeginning(ledger),
  stored,
  then: stored === beginningOf(ledger).position ? hostAtBeginning(ledger) : null,
  chain: null,
  order: null,
  fold: null,
  replays: projections.map((projection) => ({ projection, shadow: emptyShadow(projection) })),
});

export const closeWalk = ({ replays }: Walk): void => {
  for (const { shadow } of replays) shadow.db.close();
};

const hashOf = ([, , , , , , , , hashes]: HashedRow): string => hashes.slice(2 * DIGITS);

/** The first link that does not hold. An event whose successor names another hash was changed together with its own hash. */
const badLink = (walk: Walk, row: HashedRow): Bad | null => {
  const [position, stream, version, type, schemaVersion, command, time, data, hashes] = row;
  const dataHash = hashes.slice(0, DIGITS);
  const previous = hashes.slice(DIGITS, 2 * DIGITS);
  if (position !== walk.position + 1)
    return { position: Math.min(position, walk.position + 1), why: `event ${walk.position + 1} is missing` };
  if (sha256(data) !== dataHash) return { position, why: `the data of event ${position} was changed` };
  if (
    eventHash(previous, { position, stream, version, type, schemaVersion, command, time }, dataHash) !== hashOf(row)
  ) {
    return { position, why: `event ${position} does not have the hash that it should` };
  }
  if (previous === walk.hash) return null;
  const blamed = Math.max(walk.position, walk.begins + 1);
  return { position: blamed, why: `event ${blamed} was changed, and its hash with it: the next one names another` };
};

const checkChain = (walk: Walk, row: HashedRow): void => {
  walk.chain ??= badLink(walk, row);
  [walk.position] = row;
  walk.hash = hashOf(row);
};

const checkOrder = (walk: Walk, [position, stream, version]: HashedRow): void => {
  const before = walk.versions.get(stream);
  // Where a bundle begins in the middle, a stream's first event there is as good as any.
  const expected = before === undefined && walk.begins > 0 ? version : (before ?? 0) + 1;
  walk.versions.set(stream, version);
  if (version !== expected)
    walk.order ??= { position, why: `stream ${stream} jumps to version ${version} at event ${position}` };
};

const derive = (walk: Walk, row: HashedRow): void => {
  const recorded = decode(row as unknown as EventRow);
  const { event, command, position } = recorded;
  if (event.type === 'CommandAccepted' || event.type === 'CommandRejected') {
    if (walk.digests.has(command)) throw new Error(`command ${command} is decided a second time`);
    walk.digests.set(command, { digest: event.digest, position });
  }
  followOutcome(walk.outcomes, recorded);
  evolve(walk.host, recorded);
  for (const { projection, shadow } of walk.replays) projection.apply(shadow.sql, shadow.prefix, recorded, walk.host);
  if (position === walk.stored) walk.then = copyOfHost(walk.host);
};

/** Bad data must not stop the verification: whatever decoding or folding it throws is the finding. */
const checkFold = (walk: Walk, row: HashedRow): void => {
  if (walk.fold) return;
  try {
    derive(walk, row);
  } catch (error) {
    const why = error instanceof LogDamaged ? error.failure.cause : error;
    walk.fold = { position: row[0], why: `event ${row[0]}: ${why instanceof Error ? why.message : String(why)}` };
  }
};

/** Goes through all events once. What it has found so far stays in `walk` when a page cannot be read. */
export const walkEvents = (ledger: Ledger, walk: Walk): void => {
  // One transaction for all rows: in memory, but SQLite would still end one for each.
  for (const { shadow } of walk.replays) shadow.db.exec('BEGIN');
  const page = statement(
    ledger,
    `SELECT ${HASHED} FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`,
  ).raw();
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = page.all(after) as unknown as HashedRow[];
    for (const row of rows) {
      walk.events++;
      checkChain(walk, row);
      checkOrder(walk, row);
      checkFold(walk, row);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = last[0];
  }
};
