import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { ok, type Result } from '../../domain/result.ts';
import { sha256 } from '../ledger/hashes.ts';
import { type Ledger, readHead } from '../ledger/ledger.ts';
import { guarded } from '../ledger/sqlite-failure.ts';
import { currentHost, readCheckpoint, saveCheckpoint } from '../ledger/state.ts';
import { stampOf } from '../qubes-xml/stamp.ts';
import { writeQubesXml } from '../qubes-xml/write.ts';
import { DOCUMENT, isLeftAlone, lookAtDocument, WRITTEN, WRITTEN_FILE } from './document-look.ts';
import type { Home } from './home.ts';

const NAME = WRITTEN;
const VERSION = 1;

/** The digest of a file that somebody allowed to write over since a position; '' for a missing one, null for none. */
const overruledSince = (host: Host, position: number): string | null => {
  const answer = host.answers.get(DOCUMENT);
  return answer?.is === 'overruled' && answer.position > position ? answer.fingerprint : null;
};

/** Somebody said that the file stays as it is: it waits, and is behind the log, until it changes or is written over. */
const mayStay = (ledger: Ledger, host: Host, { qubesXml }: Home): boolean => {
  if (host.answers.get(DOCUMENT)?.is !== 'ignored') return false;
  const look = lookAtDocument(ledger, qubesXml);
  return look.is === 'foreign' && isLeftAlone(host, look.digest);
};

/** For a look that need not read the file. A crash before it only makes that look read. */
const rememberFile = (ledger: Ledger, { qubesXml }: Home, position: number): void => {
  guarded(ledger.file, () => {
    saveCheckpoint(ledger, { name: WRITTEN_FILE, version: VERSION, position, digest: stampOf(qubesXml) });
    return ok(null);
  });
};

/** Whether qubes.xml is behind the log: a command is under way, or was cut short. */
export const isBehind = (ledger: Ledger): boolean => {
  const { position } = readHead(ledger);
  return position > 0 && readCheckpoint(ledger, NAME)?.position !== position;
};

/**
 * Brings qubes.xml to the head. The checkpoint remembers what was written: a file with other content was changed by
 * somebody else and is left alone (D_XML_FOREIGN_CHANGE). A crash between the file and the checkpoint is harmless: the
 * next time the file already has the content that is to be written.
 */
export const publishQubesXml = (
  ledger: Ledger,
  home: Home,
  render: (host: Host) => Result<string, Failure>,
): Result<null, Failure> => {
  const host = currentHost(ledger);
  if (!host.site) return ok(null);
  const before = readCheckpoint(ledger, NAME);
  if (before?.version === VERSION && before.position === host.position) return ok(null);
  const text = render(host);
  if (!text.ok) return text;
  const lastWritten = before?.digest ?? null;
  const wanted = sha256(text.value);
  const stays = lastWritten !== wanted && mayStay(ledger, host, home);
  const overruled = overruledSince(host, before?.position ?? 0);
  if (!stays && (lastWritten !== wanted || overruled !== null)) {
    const written = writeQubesXml(home.qubesXml, text.value, lastWritten, overruled);
    if (!written.ok) return written;
    rememberFile(ledger, home, host.position);
  }
  const digest = stays ? lastWritten : wanted;
  return guarded(ledger.file, () => {
    saveCheckpoint(ledger, { name: NAME, version: VERSION, position: host.position, digest });
    return ok(null);
  });
};
