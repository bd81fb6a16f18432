import { MIGRATIONS } from '../../migrations/migrations.ts';
import { beginningOf } from './beginning.ts';
import { memoryConnection } from './connection.ts';
import { commandDigest, GENESIS, sha256 } from './hashes.ts';
import { type Head, type Ledger, readHead, snapshot, statement } from './ledger.ts';
import { LOG, readCheckpoint } from './state.ts';
import { checkEntities, checkOutcomes, checkProjection } from './verify-derived.ts';
import { type Bad, closeWalk, type Walk, walkEvents, walkFrom } from './verify-walk.ts';

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };
export type Verified = {
  readonly ok: boolean;
  readonly events: number;
  readonly firstBadPosition: number | null;
  readonly head: Head;
  readonly checks: readonly Check[];
};

type Finding = Bad | string | null;

type CommandRow = Parameters<typeof commandDigest>[0] & {
  readonly position: number;
  readonly payload: string;
  readonly digest: string;
};

const COMMANDS = `SELECT seq, id, name, schema_version AS schemaVersion, payload, actor, reason, context,
  received_at AS receivedAt, position, lower(hex(payload_hash)) AS payloadHash, lower(hex(digest)) AS digest
  FROM commands ORDER BY seq`;

const wasChanged = (row: CommandRow, { digest, position }: { digest: string; position: number }): boolean =>
  sha256(row.payload) !== row.payloadHash ||
  commandDigest(row) !== digest ||
  row.digest !== digest ||
  row.position !== position;

/** Every command row still hashes to what its decision's first event says, and none is missing, moved or added. */
const checkCommands = (ledger: Ledger, walk: Walk): Bad | null => {
  const unseen = new Map(walk.digests);
  const next = walk.position + 1;
  let bad: Bad | null = null;
  const find = (position: number, why: string): void => {
    if (!bad || position < bad.position) bad = { position, why };
  };
  let seq: number | null = walk.begins > 0 ? null : 0;
  for (const row of statement(ledger, COMMANDS).iterate() as IterableIterator<CommandRow>) {
    const decided = unseen.get(row.id);
    unseen.delete(row.id);
    // Those that a bundle keeps because they were under way when it begins stand apart.
    const apart = decided !== undefined && decided.position <= walk.begins;
    const follows = apart || seq === null || row.seq === seq + 1;
    if (!apart) seq = row.seq;
    if (!decided) find(Math.min(row.position, next), `command ${row.id} was added, or its events were cut off`);
    else if (wasChanged(row, decided)) find(decided.position, `command ${row.id} was changed after it was decided`);
    else if (!follows) find(decided.position, `the command before ${row.id} is missing`);
  }
  for (const [id, { position }] of unseen) find(position, `command ${id} is missing`);
  return bad;
};

const FURTHEST = `SELECT max(position) FROM (SELECT max(position) AS position FROM checkpoints UNION ALL SELECT max(last_position) FROM outcomes
  UNION ALL SELECT max(position) FROM entities UNION ALL SELECT max(position) FROM commands)`;

/** The newest events leave no gap when they are cut off or rewritten, but what was noted of them is still there. */
const checkCut = (ledger: Ledger, walk: Walk): Bad | null => {
  const seen = (statement(ledger, FURTHEST).pluck().get() as number | null) ?? 0;
  const next = walk.position + 1;
  if (seen >= next)
    return { position: next, why: `the events from ${next} on were cut off: there were at least ${seen}` };
  const last = readCheckpoint(ledger, LOG);
  if (last?.position !== walk.position || last.digest === walk.hash) return null;
  return { position: walk.position, why: `event ${walk.position} is not the one that was recorded there` };
};

type Made = { readonly type: string; readonly name: string; readonly sql: string };

const SCHEMA = 'SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name';

/** What the migrations make. */
const freshSchema = (): ReadonlyMap<string, Made> => {
  const db = memoryConnection();
  try {
    for (const sql of MIGRATIONS) db.exec(sql);
    return new Map((db.prepare(SCHEMA).all() as Made[]).map((made) => [made.name, made]));
  } finally {
    db.close();
  }
};

/** The triggers that keep the log append-only are part of what is proved. Projections add tables, but no triggers. */
const checkSchema = (ledger: Ledger): Finding => {
  const wanted = freshSchema();
  const found = new Map((statement(ledger, SCHEMA).all() as Made[]).map((made) => [made.name, made]));
  const wrong = [...wanted.values()].find(({ name, sql }) => found.get(name)?.sql !== sql);
  if (wrong) return `${wrong.name} ${found.has(wrong.name) ? 'was changed' : 'is missing'}`;
  const strange = [...found.values()].find(({ type, name }) => type === 'trigger' && !wanted.has(name));
  return strange ? `trigger ${strange.name} does not belong here` : null;
};

const checkStructure = (ledger: Ledger): Finding => {
  const answer = ledger.db.pragma('integrity_check(1)', { simple: true });
  return answer === 'ok' ? null : String(answer);
};

const checkExpected = (ledger: Ledger, hash: string): Finding => {
  const known =
    hash === GENESIS ||
    hash === beginningOf(ledger).hash ||
    (/^[0-9a-f]{64}$/.test(hash) &&
      statement(ledger, 'SELECT 1 FROM events WHERE hash = ?').get(Buffer.from(hash, 'hex')) !== undefined);
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

/** A check: its name, what it says when nothing is wrong, and how it looks. */
type Look = {
  readonly name: string;
  readonly good: string | ((walk: Walk) => string);
  readonly find: (ledger: Ledger, walk: Walk) => Finding;
};

const CHAIN: Look = {
  name: 'chain',
  good: ({ events }) => `${events} events, each bound to the one before`,
  find: (ledger, walk) => {
    walkEvents(ledger, walk);
    return walk.chain;
  },
};

const STREAMS: Look = {
  name: 'streams',
  good: ({ versions }) => `${versions.size} streams without a gap`,
  find: (_, walk) => walk.order,
};

const COMMAND_LOG: Look = {
  name: 'commands',
  good: ({ digests }) => `${digests.size} commands as they were decided`,
  find: checkCommands,
};

/** In this order: the others need what the walk over the chain has found. */
const looksAt = ({ projections }: Ledger, expected: string | null): readonly Look[] => [
  CHAIN,
  STREAMS,
  COMMAND_LOG,
  { name: 'cut', good: 'the log ends where it was left', find: checkCut },
  { name: 'fold', good: 'every event follows from the state before it', find: (_, walk) => walk.fold },
  { name: 'state', good: 'equal to a fold of the log', find: checkEntities },
  { name: 'outcomes', good: 'equal to what the log says', find: checkOutcomes },
  ...projections.map((projection): Look => {
    const find: Look['find'] = (ledger, walk) => checkProjection(ledger, walk, projection);
    return { name: `projection ${projection.name}`, good: 'equal to a replay', find };
  }),
  { name: 'schema', good: 'tables and append-only triggers as made', find: checkSchema },
  { name: 'sqlite', good: 'integrity_check passes', find: checkStructure },
  ...(expected === null ? [] : [expectedHead(expected)]),
];

const expectedHead = (expected: string): Look => {
  const find: Look['find'] = (ledger) => checkExpected(ledger, expected);
  return { name: 'expected head', good: 'the head you noted is in the chain', find };
};

const checkOf = ({ name, good }: Look, walk: Walk, finding: Finding): Check => {
  if (finding === null) return { name, ok: true, detail: typeof good === 'string' ? good : good(walk) };
  return { name, ok: false, detail: typeof finding === 'string' ? finding : finding.why };
};

/** A damaged table is the finding of a check; the walk goes on without it. */
const storedAt = (ledger: Ledger): number => {
  try {
    return readCheckpoint(ledger, 'state')?.position ?? 0;
  } catch {
    return 0;
  }
};

const verified = (ledger: Ledger, expected: string | null): Verified => {
  const walk = walkFrom(ledger, storedAt(ledger), ledger.projections);
  try {
    return verifiedBy(walk, ledger, expected);
  } finally {
    closeWalk(walk);
  }
};

const verifiedBy = (walk: Walk, ledger: Ledger, expected: string | null): Verified => {
  const checks: Check[] = [];
  let firstBadPosition: number | null = null;
  for (const look of looksAt(ledger, expected)) {
    const finding = attempt(() => look.find(ledger, walk));
    checks.push(checkOf(look, walk, finding));
    if (finding === null || typeof finding === 'string') continue;
    firstBadPosition = Math.min(finding.position, firstBadPosition ?? finding.position);
  }
  const ok = checks.every((check) => check.ok);
  return { ok, events: walk.events, firstBadPosition, head: headOr(ledger, walk), checks };
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
export const verifyLedger = (ledger: Ledger, expected: string | null = null): Verified =>
  snapshot(ledger, () => verified(ledger, expected));
