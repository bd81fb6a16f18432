import { entityOf } from '../../domain/host/host.ts';
import { MIGRATIONS } from '../../migrations/migrations.ts';
import { memoryConnection } from './connection.ts';
import { commandDigest, GENESIS } from './hashes.ts';
import { type Head, type Ledger, readHead, snapshot, statement } from './ledger.ts';
import { outcomeOfRow, type OutcomeRow } from './outcomes.ts';
import { digestOf, rebuildShadow } from './projections.ts';
import { readCheckpoint } from './state.ts';
import { type Bad, emptyWalk, type Walk, walkEvents } from './verify-walk.ts';

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };
export type Verified = {
  readonly ok: boolean;
  readonly events: number;
  readonly firstBadPosition: number | null;
  readonly head: Head;
  readonly checks: readonly Check[];
};

type Finding = Bad | string | null;

type CommandRow = {
  seq: number;
  id: string;
  name: string;
  schemaVersion: number;
  payload: string;
  actor: string;
  reason: string | null;
  context: string;
  receivedAt: number;
  position: number;
  digest: string;
};

const COMMANDS = `SELECT seq, id, name, schema_version AS schemaVersion, payload, actor, reason, context, received_at AS receivedAt, position,
  lower(hex(digest)) AS digest FROM commands ORDER BY seq`;

/** Every command row still hashes to what its decision's first event says, and none is missing, moved or added. */
const checkCommands = (ledger: Ledger, walk: Walk): Bad | null => {
  const unseen = new Map(walk.digests);
  let bad: Bad | null = null;
  const find = (position: number, why: string): void => {
    if (!bad || position < bad.position) bad = { position, why };
  };
  let seq = 0;
  for (const row of statement(ledger, COMMANDS).iterate() as IterableIterator<CommandRow>) {
    const decided = unseen.get(row.id);
    unseen.delete(row.id);
    if (!decided) find(Math.min(row.position, walk.position + 1), `command ${row.id} has no event: it was added, or its events were cut off`);
    else if (commandDigest(row) !== decided.digest || row.digest !== decided.digest || row.position !== decided.position) {
      find(decided.position, `command ${row.id} was changed after it was decided`);
    } else if (row.seq !== seq + 1) find(decided.position, `the command before ${row.id} is missing`);
    seq = row.seq;
  }
  for (const [id, { position }] of unseen) find(position, `command ${id} is missing`);
  return bad;
};

const FURTHEST = `SELECT max(position) FROM (SELECT max(position) AS position FROM checkpoints UNION ALL SELECT max(last_position) FROM outcomes
  UNION ALL SELECT max(position) FROM entities UNION ALL SELECT max(position) FROM commands)`;

/** The newest events leave no gap when they are cut off, but what was derived from them is still there. */
const checkCut = (ledger: Ledger, walk: Walk): Bad | null => {
  const seen = (statement(ledger, FURTHEST).pluck().get() as number | null) ?? 0;
  const next = walk.position + 1;
  return seen >= next ? { position: next, why: `the events from ${next} on were cut off: there were at least ${seen}` } : null;
};

const checkEntities = (ledger: Ledger, { host, fold }: Walk): Finding => {
  if (fold) return 'not compared: the log cannot be folded';
  const checkpoint = readCheckpoint(ledger, 'state');
  if (!checkpoint) return host.position === 0 ? null : 'the state was never stored';
  if (checkpoint.position !== host.position) return `the state stands at ${checkpoint.position}, the log at ${host.position}`;
  const rows = statement(ledger, 'SELECT key, state FROM entities').raw().all() as [string, string][];
  const stored = rows.find(([key, state]) => JSON.stringify(entityOf(host, key)) !== state);
  if (stored) return `the stored state of ${stored[0]} differs from a fold of the log`;
  const count = host.vms.size + host.pools.size + host.operations.size + host.trash.size + (host.site ? 1 : 0);
  return rows.length === count ? null : `the state holds ${rows.length} values, a fold of the log ${count}`;
};

const checkOutcomes = (ledger: Ledger, { outcomes, fold }: Walk): Finding => {
  if (fold) return 'not compared: the log cannot be folded';
  const rows = statement(ledger, 'SELECT command, outcome, error, first_position, last_position, finished_at FROM outcomes').all() as OutcomeRow[];
  const wrong = rows.find((row) => JSON.stringify(outcomeOfRow(row)) !== JSON.stringify(outcomes.get(row.command)));
  if (wrong) return `the outcome of command ${wrong.command} differs from the log`;
  return rows.length === outcomes.size ? null : `${rows.length} outcomes are stored, the log has ${outcomes.size}`;
};

const checkProjection = (ledger: Ledger, walk: Walk, projection: Ledger['projections'][number]): Finding => {
  if (walk.fold || walk.chain) return 'not compared: the log itself is damaged';
  const known = readCheckpoint(ledger, projection.name);
  if (!known) return walk.events === 0 ? null : 'it was never built';
  if (known.version !== projection.version) return `it was built by version ${known.version}, this is ${projection.version}: domtrail recover`;
  return digestOf(ledger.db, projection) === rebuildShadow(ledger, projection, walk.position) ? null : 'it differs from a replay of the log';
};

const SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";

/** The triggers that keep the log append-only are part of what is proved; projections add tables of their own. */
const checkSchema = (ledger: Ledger): Finding => {
  const fresh = memoryConnection();
  try {
    for (const sql of MIGRATIONS) fresh.exec(sql);
    const wanted = fresh.prepare(SCHEMA).all() as { name: string; sql: string }[];
    const found = new Map((statement(ledger, SCHEMA).all() as { name: string; sql: string }[]).map(({ name, sql }) => [name, sql]));
    const wrong = wanted.find(({ name, sql }) => found.get(name) !== sql);
    return wrong ? `${wrong.name} ${found.has(wrong.name) ? 'was changed' : 'is missing'}` : null;
  } finally {
    fresh.close();
  }
};

const checkStructure = (ledger: Ledger): Finding => {
  const answer = ledger.db.pragma('integrity_check(1)', { simple: true });
  return answer === 'ok' ? null : String(answer);
};

const checkExpected = (ledger: Ledger, hash: string): Finding => {
  const known = hash === GENESIS || (/^[0-9a-f]{64}$/.test(hash) && statement(ledger, 'SELECT 1 FROM events WHERE hash = ?').get(Buffer.from(hash, 'hex')) !== undefined);
  return known ? null : `no event has the hash ${hash}`;
};

/** One check. Whatever it throws on a damaged file is its finding. */
const attempt = (work: () => Finding): Finding => {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const verified = (ledger: Ledger, expected: string | null): Verified => {
  const walk = emptyWalk();
  const found: Finding[] = [];
  const check = (name: string, good: () => string, work: () => Finding): Check => {
    const finding = attempt(work);
    found.push(finding);
    if (finding === null) return { name, ok: true, detail: good() };
    return { name, ok: false, detail: typeof finding === 'string' ? finding : finding.why };
  };
  const chain = (): Finding => {
    walkEvents(ledger, walk);
    return walk.chain;
  };
  const checks = [
    check('chain', () => `${walk.events} events, each bound to the one before`, chain),
    check('streams', () => `${walk.versions.size} streams without a gap`, () => walk.order),
    check('commands', () => `${walk.digests.size} commands as they were decided`, () => checkCommands(ledger, walk)),
    check('cut', () => 'nothing derived is newer than the log', () => checkCut(ledger, walk)),
    check('fold', () => 'every event follows from the state before it', () => walk.fold),
    check('state', () => 'equal to a fold of the log', () => checkEntities(ledger, walk)),
    check('outcomes', () => 'equal to what the log says', () => checkOutcomes(ledger, walk)),
    ...ledger.projections.map((one) => check(`projection ${one.name}`, () => 'equal to a replay', () => checkProjection(ledger, walk, one))),
    check('schema', () => 'tables and append-only triggers as made', () => checkSchema(ledger)),
    check('sqlite', () => 'integrity_check passes', () => checkStructure(ledger)),
    ...(expected === null ? [] : [check('expected head', () => 'the head you noted is in the chain', () => checkExpected(ledger, expected))]),
  ];
  const positions = found.flatMap((one) => (one !== null && typeof one === 'object' ? [one.position] : []));
  const firstBadPosition = positions.length > 0 ? Math.min(...positions) : null;
  return { ok: checks.every(({ ok }) => ok), events: walk.events, firstBadPosition, head: headOr(ledger, walk), checks };
};

const headOr = (ledger: Ledger, { position, hash }: Walk): Head => {
  try {
    return readHead(ledger);
  } catch {
    return { position, hash };
  }
};

/**
 * Proves the ledger: the hash chain, its order, the command log behind it, what was derived from it, and SQLite's own
 * structure; all of one state of the log, whatever is written meanwhile. `expected` is the hash of a head noted
 * elsewhere: without one, nobody can tell a log that was rewritten as a whole. Throws on no content of a ledger that
 * could be opened.
 */
export const verifyLedger = (ledger: Ledger, expected: string | null = null): Verified => snapshot(ledger, () => verified(ledger, expected));
