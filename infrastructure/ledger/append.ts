import { type DomainEvent, type Recorded, streamOf } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { eventHash, sha256 } from './hashes.ts';
import { type Ledger, statement } from './ledger.ts';
import { encode } from './rows.ts';

/** What a writer believes about a stream before it appends. */
export type Expected = 'any' | 'no-stream' | 'stream-exists' | number;

export type ToAppend = { readonly stream: string; readonly event: DomainEvent };

const INSERT =
  'INSERT INTO events (position, stream, version, type, schema_version, command, time, data, data_hash, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** Streams whose versions are kept in mind; a process that has seen more begins anew. */
const MOST_VERSIONS = 10_000;

const remember = ({ versions }: Ledger['cache'], stream: string, version: number): void => {
  if (versions.size >= MOST_VERSIONS) versions.clear();
  versions.set(stream, version);
};

/** Says that a stream is known not to exist, so that nobody has to look: the first event of a new command is about to come. */
export const beginStream = ({ cache }: Ledger, stream: string): void => remember(cache, stream, 0);

/** The stream's last version; 0 when there is no such stream. */
const streamVersion = (ledger: Ledger, stream: string): number => {
  const known = ledger.cache.versions.get(stream);
  if (known !== undefined) return known;
  const read = statement(ledger, 'SELECT max(version) FROM events WHERE stream = ?').pluck().get(stream);
  const version = (read as number | null) ?? 0;
  remember(ledger.cache, stream, version);
  return version;
};

/** Refuses a writer whose belief about a stream is wrong, and says what is so. */
export const checkExpected = (ledger: Ledger, stream: string, expected: Expected): Result<null, Failure> => {
  if (expected === 'any') return ok(null);
  const actual = streamVersion(ledger, stream);
  const holds =
    expected === 'no-stream' ? actual === 0 : expected === 'stream-exists' ? actual > 0 : actual === expected;
  const message = `stream ${stream} is at version ${actual}, expected ${expected}`;
  return holds ? ok(null) : err(failure('D_STREAM_VERSION', message));
};

/**
 * The one place where events enter the log. Must run inside `inTransaction`: positions and versions are the last ones plus
 * one under its lock, which is why there are never gaps and no reader can skip a late commit.
 */
export const appendRows = (
  ledger: Ledger,
  command: string,
  time: number,
  events: readonly ToAppend[],
): readonly Recorded[] => {
  const insert = statement(ledger, INSERT);
  const { versions } = ledger.cache;
  let { head } = ledger.cache;
  const recorded: Recorded[] = [];
  for (const { stream, event } of events) {
    const position = head.position + 1;
    const version = streamVersion(ledger, stream) + 1;
    versions.set(stream, version);
    const { type, schemaVersion, data } = encode(event);
    const dataHash = sha256(data);
    const hash = eventHash(head.hash, { position, stream, version, type, schemaVersion, command, time }, dataHash);
    insert.run(
      position,
      stream,
      version,
      type,
      schemaVersion,
      command,
      time,
      data,
      bytes(dataHash),
      bytes(head.hash),
      bytes(hash),
    );
    head = { position, hash };
    recorded.push({ position, stream, version, command, time, event });
  }
  ledger.cache.head = head;
  return recorded;
};

export const ownStreams = (command: string, events: readonly DomainEvent[]): readonly ToAppend[] =>
  events.map((event) => ({ stream: streamOf(event, command), event }));
