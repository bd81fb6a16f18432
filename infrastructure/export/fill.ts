import type { Connection } from '../ledger/connection.ts';
import { commandDigest, eventHash, sha256 } from '../ledger/hashes.ts';
import { encode } from '../ledger/rows.ts';
import type { EventRedactor } from '../redaction/row.ts';
import { type CommandRow, recordedOf, type StoredEvent } from './rows.ts';

const COMMAND = `INSERT INTO commands (seq, id, name, schema_version, payload, payload_hash, actor, reason, context, received_at, position, digest)
  VALUES (?, ?, ?, ?, ?, unhex(?), ?, ?, ?, ?, ?, unhex(?))`;
const EVENT = `INSERT INTO events (position, stream, version, type, schema_version, command, time, data, data_hash, prev_hash, hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, unhex(?), unhex(?), unhex(?))`;

export const commandFiller = (db: Connection): ((row: CommandRow) => void) => {
  const insert = db.prepare(COMMAND);
  return (row) => {
    const { seq, id, name, schemaVersion, payload, payloadHash, actor, reason, context, receivedAt, position } = row;
    const values = [payload, payloadHash, actor, reason, context, receivedAt, position, row.digest];
    insert.run(seq, id, name, schemaVersion, ...values);
  };
};

/** Puts a command in under another form, and gives the digest of that. */
export const bound = (row: CommandRow): CommandRow => ({ ...row, digest: commandDigest(row) });

/** Puts events in as they are stored. */
export const eventFiller = (db: Connection): ((event: StoredEvent) => void) => {
  const insert = db.prepare(EVENT);
  return ({ row, dataHash, previous, hash }) => {
    insert.run(...row, dataHash, previous, hash);
  };
};

/** Puts events in under another form, each bound to the one before it; `begins` is what the first is bound to. */
export const chainedFiller = (
  db: Connection,
  begins: string,
  change: EventRedactor,
  digests: ReadonlyMap<string, string>,
): ((event: StoredEvent) => void) => {
  const insert = db.prepare(EVENT);
  const versions = new Map<string, number>();
  let previous = begins;
  return (stored) => {
    const original = recordedOf(stored);
    const { event, stream, command, position, time } = change(original, digests.get(original.command) ?? null);
    const version = (versions.get(stream) ?? 0) + 1;
    versions.set(stream, version);
    const { type, schemaVersion, data } = encode(event);
    const dataHash = sha256(data);
    const hash = eventHash(previous, { position, stream, version, type, schemaVersion, command, time }, dataHash);
    insert.run(position, stream, version, type, schemaVersion, command, time, data, dataHash, previous, hash);
    previous = hash;
  };
};
