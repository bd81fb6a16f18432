import { hash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

const MODE = 0o660;
const MAX_BYTES = 64 * 2 ** 20;

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

const readIfThere = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

const firstDifference = (ours: string, theirs: string): string => {
  const [a, b] = [ours.split('\n'), theirs.split('\n')];
  const line = a.findIndex((text, index) => text !== b[index]);
  const at = line < 0 ? a.length : line;
  return `line ${at + 1}\n- ${a[at] ?? '(end)'}\n+ ${b[at] ?? '(end)'}`;
};

/** Stock gives the file to this group, so that tools of its members can read it. */
const qubesGroup = (): number | null => {
  const line = readIfThere('/etc/group')
    ?.split('\n')
    .find((one) => one.startsWith('qubes:'));
  const id = Number(line?.split(':')[2]);
  return line && Number.isInteger(id) ? id : null;
};

const own = (path: string): void => {
  const group = qubesGroup();
  if (group !== null) {
    try {
      chownSync(path, -1, group);
    } catch (error) {
      // Only root and members may; everybody else keeps their own group.
      if (codeOf(error) !== 'EPERM') throw error;
    }
  }
  chmodSync(path, MODE);
};

const syncDirectory = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

const writeDraft = (draft: string, text: string): void => {
  const handle = openSync(draft, 'wx', 0o600);
  try {
    const bytes = Buffer.from(text, 'utf8');
    let at = 0;
    while (at < bytes.length) at += writeSync(handle, bytes, at);
    own(draft);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** What was written must parse again before it replaces what is there: a broken document stops a whole host. */
const parsesBack = (draft: string, text: string): boolean => {
  const back = readFileSync(draft, 'utf8');
  return back === text && XMLValidator.validate(back) === true;
};

const foreign = (file: string, text: string, theirs: string): Failure =>
  failure('D_XML_FOREIGN_CHANGE', `somebody else changed ${file}; it was not overwritten`, {
    cause: firstDifference(text, theirs),
    next: 'compare with: domtrail xml   then put the file back or away, and: domtrail recover',
  });

const replace = (file: string, text: string, before: string | null): Result<null, Failure> => {
  const draft = `${file}~${randomBytes(4).toString('hex')}`;
  try {
    writeDraft(draft, text);
    if (!parsesBack(draft, text))
      return err(failure('D_STEP_FAILED', `${file} would not be well-formed; it was not written`));
    // As late as possible: Node has no fcntl lock to keep stock qubesd out with, so this closes all but an instant.
    if (readIfThere(file) !== before) return err(foreign(file, text, readIfThere(file) ?? ''));
    renameSync(draft, file);
    syncDirectory(dirname(file));
    return ok(null);
  } finally {
    rmSync(draft, { force: true });
  }
};

/**
 * Writes qubes.xml atomically (spec: qubes-xml A.7). `lastDigest` is the sha256 of what we wrote last, null for never: a
 * file with another content belongs to somebody else and stays (D_XML_FOREIGN_CHANGE). Nothing is written when the
 * content is the same.
 */
export const writeQubesXml = (file: string, text: string, lastDigest: string | null): Result<null, Failure> => {
  if (text.length > MAX_BYTES) return err(failure('D_STEP_FAILED', `${file} would have ${text.length} bytes`));
  try {
    const there = readIfThere(file);
    if (there === text) return ok(null);
    if (there !== null && hash('sha256', there) !== lastDigest) return err(foreign(file, text, there));
    return replace(file, text, there);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      return err(failure('D_DISK_FULL', `${file} could not be written: the disk is full`));
    if (code !== '') return err(failure('D_HOME_UNREADABLE', `${file} could not be written`, { cause: String(error) }));
    throw error;
  }
};
