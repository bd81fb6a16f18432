import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { ok, type Result } from '../../domain/result.ts';
import { sha256 } from '../ledger/hashes.ts';
import { type Ledger, readHead, writing } from '../ledger/ledger.ts';
import { guarded } from '../ledger/sqlite-failure.ts';
import { type Checkpoint, currentHost, readCheckpoint, saveCheckpoint } from '../ledger/state.ts';
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

/** With the file's stamp, for a look that need not read it: in one write, for each costs a flush of the disk. */
const remember = (ledger: Ledger, checkpoint: Omit<Checkpoint, 'name' | 'version'>, stamp: string | null) =>
  guarded(ledger.file, () => {
    writing(ledger, () => {
      saveCheckpoint(ledger, { ...checkpoint, name: NAME, version: VERSION });
      if (stamp !== null) {
        saveCheckpoint(ledger, { ...checkpoint, name: WRITTEN_FILE, version: VERSION, digest: stamp });
      }
    });
    return ok(null);
  });

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
  const writes = !stays && (lastWritten !== wanted || overruled !== null);
  if (writes) {
    const written = writeQubesXml(home.qubesXml, text.value, lastWritten, overruled);
    if (!written.ok) return written;
  }
  const checkpoint = { position: host.position, digest: stays ? lastWritten : wanted };
  return remember(ledger, checkpoint, writes ? stampOf(home.qubesXml) : null);
};
