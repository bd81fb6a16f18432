import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { Owner } from '../../domain/command/events.ts';
import { type Decision, eventsOf } from '../../domain/decision.ts';
import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { appendRows, beginStream, ownStreams } from './append.ts';
import { commandDigest, sha256 } from './hashes.ts';
import { type Ledger, statement } from './ledger.ts';
import { readOutcome, type StoredOutcome, saveOutcome } from './outcomes.ts';
import { writableHost } from './projections.ts';
import { foldIn, moveOn } from './state.ts';
import { inTransaction } from './transaction.ts';

/** Who asked, as far as the system can tell: the person behind a sudo is `loginUid`. */
export type Actor = {
  readonly user: string;
  readonly uid: number;
  readonly loginUid: number | null;
  readonly tty: string | null;
  readonly tool: string;
  readonly argv: readonly string[];
  /** the calling qube, for calls over qrexec */
  readonly source: string | null;
};

/** A command as it arrives. `context` is everything the decision gets besides state and payload. Times: epoch milliseconds. */
export type Envelope = {
  readonly id: string;
  readonly name: string;
  readonly schemaVersion: number;
  readonly payload: Json;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly context: Json;
  readonly receivedAt: number;
  readonly owner: Owner;
};

type ToDecide = (host: Host, position: number) => Decision;

export type Accepted = {
  readonly is: 'accepted' | 'rejected' | 'repeated';
  readonly outcome: StoredOutcome;
  readonly recorded: readonly Recorded[];
};

const INSERT = `INSERT INTO commands (seq, id, name, schema_version, payload, payload_hash, actor, reason, context, received_at, position, digest)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The stored outcome for a repeated id, a conflict for a reused one, null for a new one. */
const known = (ledger: Ledger, { id, name }: Envelope, payloadHash: string): Result<Accepted | null, Failure> => {
  const row = statement(ledger, 'SELECT name, hex(payload_hash) AS hash FROM commands WHERE id = ?').get(id) as
    | { name: string; hash: string }
    | undefined;
  if (!row) return ok(null);
  const outcome = readOutcome(ledger, id);
  if (!outcome) throw new Error(`command ${id} is stored without an outcome`);
  if (row.name === name && row.hash.toLowerCase() === payloadHash) return ok({ is: 'repeated', outcome, recorded: [] });
  return err(
    failure('D_COMMAND_ID_REUSED', `command id ${id} was used for another ${row.name}`, {
      next: `domtrail show cmd:${id}`,
    }),
  );
};

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const nextSeq = ({ cache, db }: Ledger): number => {
  cache.seq ??= (statement({ db }, 'SELECT max(seq) FROM commands').pluck().get() as number | null) ?? 0;
  return ++cache.seq;
};

/** Writes the command's row, before anything is decided about it, and gives its digest. */
const store = (ledger: Ledger, envelope: Envelope, payload: string, payloadHash: string): string => {
  const seq = nextSeq(ledger);
  const actor = JSON.stringify(envelope.actor);
  const context = canonicalJson(envelope.context);
  const { id, name, schemaVersion, reason, receivedAt } = envelope;
  const digest = commandDigest({ seq, id, name, schemaVersion, payloadHash, actor, reason, context, receivedAt });
  const position = ledger.cache.head.position + 1;
  statement(ledger, INSERT).run(
    seq,
    id,
    name,
    schemaVersion,
    payload,
    bytes(payloadHash),
    actor,
    reason,
    context,
    receivedAt,
    position,
    bytes(digest),
  );
  return digest;
};

const acceptOne = (ledger: Ledger, host: Host, { envelope, decide }: ToAccept): Result<Accepted, Failure> => {
  const payload = canonicalJson(envelope.payload);
  const payloadHash = sha256(payload);
  const before = known(ledger, envelope, payloadHash);
  if (!before.ok) return before;
  if (before.value) return ok(before.value);
  const digest = store(ledger, envelope, payload, payloadHash);
  beginStream(ledger, `command/${envelope.id}`);
  const decision = decide(host, ledger.cache.head.position + 1);
  const events = eventsOf(decision, { name: envelope.name, digest, owner: envelope.owner });
  const recorded = appendRows(ledger, envelope.id, envelope.receivedAt, ownStreams(envelope.id, events));
  foldIn(ledger, host, recorded);
  const outcome = saveOutcome(ledger, envelope.id, recorded);
  if (!outcome) throw new Error(`command ${envelope.id} was decided without an outcome`);
  return ok({ is: decision.ok ? 'accepted' : 'rejected', outcome, recorded });
};

export type ToAccept = { readonly envelope: Envelope; readonly decide: ToDecide };

/**
 * Stores commands, decides them and appends what follows, all in one transaction: either everything of them is in the log
 * or nothing. A rejected or conflicting one does not touch its neighbours. `beforeCommit` is the last thing to run before
 * the commit.
 */
export const acceptAll = (
  ledger: Ledger,
  list: readonly ToAccept[],
  beforeCommit?: () => void,
): Result<readonly Result<Accepted, Failure>[], Failure> =>
  inTransaction(ledger, () => {
    const host = writableHost(ledger);
    const accepted = list.map((one) => acceptOne(ledger, host, one));
    moveOn(ledger, host);
    beforeCommit?.();
    return accepted;
  });

/** One command: its decision's outcome, the stored one for a repeated id, or why it could not be stored. */
export const accept = (ledger: Ledger, one: ToAccept, beforeCommit?: () => void): Result<Accepted, Failure> => {
  const all = acceptAll(ledger, [one], beforeCommit);
  if (!all.ok) return all;
  const [only] = all.value;
  if (!only) throw new Error('one command in, one result out');
  return only;
};
