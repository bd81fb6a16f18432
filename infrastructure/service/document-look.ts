import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Host } from '../../domain/host/host.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readCheckpoint } from '../ledger/state.ts';
import { stampOf } from '../qubes-xml/stamp.ts';

/** What `drift` calls the document of a home. */
export const DOCUMENT = 'qubes.xml';
/** Checkpoint of what was written, and of the file it was written to. */
export const WRITTEN = 'qubes-xml';
export const WRITTEN_FILE = 'qubes-xml-file';

/** How the file stands to what was last written there. `bytes` where it was read. */
export type DocumentLook =
  | { readonly is: 'ours' | 'never written' | 'missing' }
  | { readonly is: 'foreign'; readonly digest: string; readonly bytes: Buffer };

const isNotThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Not blocking: a FIFO in its place must not hold us up; it has no content of ours. */
const contentOf = (path: string): Buffer | null => {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
  try {
    return fstatSync(file).isFile() ? readFileSync(file) : Buffer.alloc(0);
  } finally {
    closeSync(file);
  }
};

/** Reads the file only where its inode, time or size are not those it was written with. */
export const lookAtDocument = (ledger: Ledger, path: string): DocumentLook => {
  const written = readCheckpoint(ledger, WRITTEN)?.digest;
  if (!written) return { is: 'never written' };
  const stamp = stampOf(path);
  if (stamp === null) return { is: 'missing' };
  if (stamp === readCheckpoint(ledger, WRITTEN_FILE)?.digest) return { is: 'ours' };
  const bytes = contentOf(path);
  if (!bytes) return { is: 'missing' };
  const digest = hash('sha256', bytes);
  return digest === written ? { is: 'ours' } : { is: 'foreign', digest, bytes };
};

/** Whether somebody said that the file may stay as it is. */
export const isLeftAlone = (host: Host, fingerprint: string): boolean => {
  const answer = host.answers.get(DOCUMENT);
  return answer?.is === 'ignored' && answer.fingerprint === fingerprint;
};
