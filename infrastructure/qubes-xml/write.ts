import { hash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { problemIn } from './check.ts';
import { groupId } from './group.ts';

/** What lies at the path: the content, and a stamp that another one in its place cannot have. */
type There = { readonly content: Buffer; readonly stamp: string };

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

/** A failed system call as a value; everything else is a bug and goes on as an exception. */
const refusal = (error: unknown, path: string): Failure => {
  const code = codeOf(error);
  if (!code || !(error instanceof Error)) throw error;
  const cause = error.message;
  const next = 'domtrail recover   (writes it then)';
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? failure('D_DISK_FULL', `the disk of ${path} is full; the file is as it was`, { cause, next })
    : failure('D_HOME_UNREADABLE', `${path} cannot be written; the file is as it was`, { cause, next });
};

/** Not blocking: a FIFO in the place of the file must not hold us up, it simply has no content of ours. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

const look = (path: string): There | null => {
  let file: number;
  try {
    file = openSync(path, READ);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { ino, dev, mtimeNs, size } = fstatSync(file, { bigint: true });
    return { content: readFileSync(file), stamp: `${dev}:${ino} ${mtimeNs} ${size}` };
  } finally {
    closeSync(file);
  }
};

const sameAs = (before: There | null, now: There | null): boolean =>
  before === null || now === null ? before === now : before.stamp === now.stamp && before.content.equals(now.content);

const shown = (line: string | undefined): string =>
  line === undefined ? 'ends' : `has ${JSON.stringify(line.trim().slice(0, 120))}`;

const firstDifference = (theirs: string, ours: string): string => {
  const left = theirs.split('\n');
  const right = ours.split('\n');
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  return `at line ${at + 1} the file ${shown(left[at])}, domtrail ${shown(right[at])}`;
};

const foreign = (path: string, theirs: There | null, ours: string): Failure =>
  failure('D_XML_FOREIGN_CHANGE', `${path} was changed by somebody else; it was left alone`, {
    cause: theirs ? firstDifference(theirs.content.toString('utf8'), ours) : 'it was removed just now',
    next: 'domtrail drift qubes.xml   (says what was changed, and how to take it over or write over it)',
  });

/** Stock gives the file to the group, so that its users read it; whoever is not in the group keeps it private. */
const shareWithGroup = (file: number): void => {
  const group = groupId('qubes');
  if (group === null) return;
  try {
    fchownSync(file, -1, group);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
};

const writeTemporary = (path: string, content: Buffer): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, content);
    shareWithGroup(file);
    fchmodSync(file, 0o660);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

const syncDirectory = (path: string): void => {
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
};

/** What the disk gives back must be what was meant, and must mean it to another parser too. */
const checkTemporary = (temporary: string, text: string): void => {
  if (readFileSync(temporary, 'utf8') !== text) throw new Error(`${temporary} does not hold what was written`);
  const problem = problemIn(text);
  if (problem !== null) throw new Error(`a bad qubes.xml was about to be written: ${problem}`);
};

const replace = (path: string, before: There | null, text: string): Result<null, Failure> => {
  // Named after its content: one that a kill left behind is used up when the same document is written again.
  const temporary = `${path}~${hash('sha256', text).slice(0, 8)}`;
  try {
    rmSync(temporary, { force: true });
    writeTemporary(temporary, Buffer.from(text, 'utf8'));
    checkTemporary(temporary, text);
    const now = look(path);
    if (!sameAs(before, now)) return err(foreign(path, now, text));
    renameSync(temporary, path);
    syncDirectory(path);
    return ok(null);
  } finally {
    rmSync(temporary, { force: true });
  }
};

/** Named after its content, so that a second try after a crash keeps the same file once. */
const keepAside = (path: string, digest: string): void => {
  try {
    linkSync(path, `${path}.foreign-${digest.slice(0, 8)}`);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};

/**
 * Puts `text` in the place of qubes.xml: a reader sees the old document or the new one, also after a power cut (spec:
 * qubes-xml A.7). `lastWritten` is the sha256 of what we put there last, null for never: a file with any other content is
 * somebody else's work and stays (D_XML_FOREIGN_CHANGE). One with the digest `overruled`, which somebody said may go, is
 * kept beside as `.foreign-XXXXXXXX`. A file that already has the content is not written again, one
 * that is missing is. Other errors: D_DISK_FULL, D_HOME_UNREADABLE.
 *
 * Stock holds an fcntl lock on the file meanwhile, which Node cannot take. Inode, time, size and content are compared
 * again right before the rename instead; a writer that comes in between those two system calls is not noticed.
 */
export const writeQubesXml = (
  path: string,
  text: string,
  lastWritten: string | null,
  overruled: string | null = null,
): Result<null, Failure> => {
  try {
    const there = look(path);
    if (there?.content.equals(Buffer.from(text, 'utf8'))) {
      // Perhaps we were killed right after the rename: only now does it survive a power cut.
      syncDirectory(path);
      return ok(null);
    }
    const digest = there && hash('sha256', there.content);
    if (digest !== null && digest === overruled) keepAside(path, digest);
    else if (there && digest !== lastWritten) return err(foreign(path, there, text));
    return replace(path, there, text);
  } catch (error) {
    return err(refusal(error, path));
  }
};
