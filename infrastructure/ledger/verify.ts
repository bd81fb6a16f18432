import { emptyHost, entityOf, evolve, type Host } from '../../domain/host/host.ts';
import { commandDigest, eventHash, GENESIS, sha256 } from './hashes.ts';
import { type Head, type Ledger, readHead, statement } from './ledger.ts';
import { digestOf, rebuildShadow } from './projections.ts';
import { decode, type EventRow } from './rows.ts';
import { readCheckpoint } from './state.ts';

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };
export type Verified = {
  readonly ok: boolean;
  readonly events: number;
  readonly firstBadPosition: number | null;
  readonly head: Head;
  readonly checks: readonly Check[];
};

type Bad = { readonly position: number; readonly why: string };
type HashedRow = readonly [...EventRow, dataHash: string, hash: string];

const PAGE = 1000;
const HASHED = 'position, stream, version, type, schema_version, command, time, data, lower(hex(data_hash)), lower(hex(hash))';

type Walk = {
  events: number;
  hash: string;
  readonly versions: Map<string, number>;
  readonly digests: Map<string, { readonly digest: string; readonly position: number }>;
  chain: Bad | null;
  order: Bad | null;
  fold: Bad | null;
  readonly host: Host;
};

const checkChain = (walk: Walk, row: HashedRow): void => {
  const [position, stream, version, type, schemaVersion, command, time, data, dataHash, hash] = row;
  if (!walk.chain) {
    if (position !== walk.events) walk.chain = { position: walk.events, why: `event ${walk.events} is missing` };
    else if (sha256(data) !== dataHash) walk.chain = { position, why: `the data of event ${position} was changed` };
    else if (eventHash(walk.hash, { position, stream, version, type, schemaVersion, command, time }, dataHash) !== hash) {
      walk.chain = { position, why: `the hash of event ${position} does not follow from the one before` };
    }
  }
  walk.hash = hash;
  const expected = (walk.versions.get(stream) ?? 0) + 1;
  if (version !== expected && !walk.order) walk.order = { position, why: `stream ${stream} jumps to version ${version} at event ${position}` };
  walk.versions.set(stream, version);
};

/** Bad data must not stop the verification: whatever decoding or folding it throws is the finding. */
const checkFold = (walk: Walk, row: HashedRow): void => {
  if (walk.fold) return;
  try {
    const recorded = decode(row as unknown as EventRow);
    const { event } = recorded;
    if (event.type === 'CommandAccepted' || event.type === 'CommandRejected') {
      walk.digests.set(recorded.command, { digest: event.digest, position: recorded.position });
    }
    evolve(walk.host, recorded);
  } catch (error) {
    walk.fold = { position: row[0], why: `event ${row[0]}: ${error instanceof Error ? error.message : String(error)}` };
  }
};

const walkEvents = (ledger: Ledger): Walk => {
  const walk: Walk = { events: 0, hash: GENESIS, versions: new Map(), digests: new Map(), chain: null, order: null, fold: null, host: emptyHost() };
  const page = statement(ledger, `SELECT ${HASHED} FROM events WHERE position > ? ORDER BY position LIMIT ${PAGE}`).raw();
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = page.all(after) as unknown as HashedRow[];
    for (const row of rows) {
      walk.events++;
      checkChain(walk, row);
      checkFold(walk, row);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return walk;
    after = last[0];
  }
};

type CommandRow = {
  seq: number; id: string; name: string; schemaVersion: number; payload: string; actor: string; reason: string | null; context: string; receivedAt: number;
};

/** Every command row still hashes to what its decision's first event says, and none is missing or added. */
const checkCommands = (ledger: Ledger, walk: Walk): Bad | null => {
  const unseen = new Map(walk.digests);
  const rows = statement(ledger, 'SELECT seq, id, name, schema_version AS schemaVersion, payload, actor, reason, context, received_at AS receivedAt FROM commands ORDER BY seq').all() as CommandRow[];
  let bad: Bad | null = null;
  const find = (position: number, why: string) => {
    if (!bad || position < bad.position) bad = { position, why };
  };
  for (const row of rows) {
    const decided = unseen.get(row.id);
    unseen.delete(row.id);
    if (!decided) find(walk.events + 1, `command ${row.id} has no event: it was added, or its events were cut off`);
    else if (commandDigest(row) !== decided.digest) find(decided.position, `command ${row.id} was changed after it was decided`);
  }
  for (const [id, { position }] of unseen) find(position, `command ${id} is missing`);
  return bad;
};

/** The newest events leave no gap when they are cut off, but what was derived from them is still there. */
const checkCut = (ledger: Ledger, walk: Walk): Bad | null => {
  const furthest = statement(ledger, 'SELECT max(position) FROM checkpoints').pluck().get() as number | null;
  const outcome = statement(ledger, 'SELECT max(last_position) FROM outcomes').pluck().get() as number | null;
  const seen = Math.max(furthest ?? 0, outcome ?? 0);
  return seen > walk.events ? { position: walk.events + 1, why: `events after ${walk.events} were cut off: ${seen} were recorded` } : null;
};

const checkEntities = (ledger: Ledger, { host, fold }: Walk): string | null => {
  if (fold) return 'the log cannot be folded';
  const checkpoint = readCheckpoint(ledger, 'state');
  if (!checkpoint) return host.position === 0 ? null : 'the state was never stored';
  if (checkpoint.position !== host.position) return `the state stands at ${checkpoint.position}, the log at ${host.position}`;
  const rows = statement(ledger, 'SELECT key, state FROM entities').raw().all() as [string, string][];
  const stored = rows.find(([key, state]) => JSON.stringify(entityOf(host, key)) !== state);
  if (stored) return `the stored state of ${stored[0]} differs from a fold of the log`;
  const count = host.vms.size + host.pools.size + host.operations.size + host.trash.size + (host.site ? 1 : 0);
  return rows.length === count ? null : `the state holds ${rows.length} values, a fold of the log ${count}`;
};

const integrity = (ledger: Ledger): string | null => {
  const answer = ledger.db.pragma('integrity_check(1)', { simple: true });
  return answer === 'ok' ? null : String(answer);
};

const report = (name: string, bad: Bad | string | null, good: string): Check => {
  if (bad === null) return { name, ok: true, detail: good };
  return { name, ok: false, detail: typeof bad === 'string' ? bad : bad.why };
};

const attempt = (work: () => string | null): string | null => {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const checkProjections = (ledger: Ledger, walk: Walk): readonly Check[] =>
  ledger.projections.map((projection) => {
    const bad = attempt(() => {
      if (walk.fold || walk.chain) return 'not compared: the log itself is damaged';
      const known = readCheckpoint(ledger, projection.name);
      if (!known) return walk.events === 0 ? null : 'it was never built';
      return digestOf(ledger.db, projection) === rebuildShadow(ledger, projection, walk.events) ? null : 'it differs from a replay of the log';
    });
    return report(`projection ${projection.name}`, bad, 'equal to a replay');
  });

const NO_WALK = (): Walk => ({ events: 0, hash: GENESIS, versions: new Map(), digests: new Map(), chain: null, order: null, fold: null, host: emptyHost() });

/**
 * Proves the ledger: the hash chain, its order, the command log behind it, what was derived from it, and SQLite's own
 * structure. `expected` is a head noted elsewhere: without one, nobody can tell a log that was rewritten as a whole.
 */
export const verifyLedger = (ledger: Ledger, expected: string | null = null): Verified => {
  let walk = NO_WALK();
  const unreadable = attempt(() => {
    walk = walkEvents(ledger);
    return null;
  });
  const found = { commands: null as Bad | null, cut: null as Bad | null };
  const commands = attempt(() => (found.commands = checkCommands(ledger, walk))?.why ?? null);
  const cut = attempt(() => (found.cut = checkCut(ledger, walk))?.why ?? null);
  const known = expected === null ? null : attempt(() => (hasHash(ledger, expected) ? null : `no event has the hash ${expected}`));
  const checks = [
    report('chain', unreadable ?? walk.chain, `${walk.events} events, each bound to the one before`),
    report('streams', walk.order, `${walk.versions.size} streams without a gap`),
    report('commands', commands, `${walk.digests.size} commands as they were decided`),
    report('cut', cut, 'nothing derived is newer than the log'),
    report('fold', walk.fold, 'every event follows from the state before it'),
    report('state', attempt(() => checkEntities(ledger, walk)), 'equal to a fold of the log'),
    ...checkProjections(ledger, walk),
    report('sqlite', attempt(() => integrity(ledger)), 'integrity_check passes'),
    ...(expected === null ? [] : [report('expected head', known, 'the head you noted is in the chain')]),
  ];
  const bad = [walk.chain, walk.order, walk.fold, found.commands, found.cut].flatMap((one) => (one ? [one.position] : []));
  const firstBadPosition = bad.length > 0 ? Math.min(...bad) : null;
  const head = safeHead(ledger, walk);
  return { ok: checks.every((check) => check.ok), events: walk.events, firstBadPosition, head, checks };
};

const safeHead = (ledger: Ledger, walk: Walk): Head => {
  try {
    return readHead(ledger);
  } catch {
    return { position: walk.events, hash: walk.hash };
  }
};

const hasHash = (ledger: Ledger, hash: string): boolean =>
  hash === GENESIS || (/^[0-9a-f]{64}$/.test(hash) && statement(ledger, 'SELECT 1 FROM events WHERE hash = ?').get(Buffer.from(hash, 'hex')) !== undefined);
