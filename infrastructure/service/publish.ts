import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { ok, type Result } from '../../domain/result.ts';
import { sha256 } from '../ledger/hashes.ts';
import { type Ledger, readHead } from '../ledger/ledger.ts';
import { guarded } from '../ledger/sqlite-failure.ts';
import { currentHost, readCheckpoint, saveCheckpoint } from '../ledger/state.ts';
import { writeQubesXml } from '../qubes-xml/write.ts';
import type { Home } from './home.ts';

const NAME = 'qubes-xml';
const VERSION = 1;

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
  const digest = sha256(text.value);
  if (before?.digest !== digest) {
    const written = writeQubesXml(home.qubesXml, text.value, before?.digest ?? null);
    if (!written.ok) return written;
  }
  return guarded(ledger.file, () => {
    saveCheckpoint(ledger, { name: NAME, version: VERSION, position: host.position, digest });
    return ok(null);
  });
};
