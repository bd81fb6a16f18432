import { access, type FileHandle, open, readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Archive, Written } from '../../domain/backup/archive.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import type { VolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import { authenticateHeader } from './authenticate.ts';
import { marksPathOf, partOf } from './deliver.ts';
import { type KeptMarks, type Mark, marksIn, type ReadMark } from './marks.ts';
import { lengthOf, memberHeader } from './outer-archive.ts';
import { deriveKey, type Parameters } from './scrypt-container.ts';
import type { KeyCost } from './seal.ts';
import { BadTar, BLOCK, readHeader } from './sparse-tar/header.ts';

/** What of an interrupted backup is complete, was on the disk, and is still as it was written. */
export type Interrupted = {
  readonly headerKey: Buffer;
  /** of the header's key: the rest gets keys that cost the same */
  readonly cost: KeyCost;
  readonly taken: { readonly event: number; readonly time: string };
  /** of the disks that are read where they lie, when the backup began */
  readonly stamps: ReadonlyMap<VolumeKey, string>;
  readonly finished: readonly Written[];
  /** how much of the part file is kept, in bytes */
  readonly offset: number;
  readonly marks: KeptMarks;
};

const PIECE = 2 ** 20;

const exactly = async (handle: FileHandle, at: number, length: number): Promise<Buffer | null> => {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  return bytesRead === length ? buffer : null;
};

type Stored = { readonly name: string; readonly size: number };

/** The header of a member, if it is one that we write. */
const headerAt = async (handle: FileHandle, at: number): Promise<Stored | null> => {
  const block = await exactly(handle, at, BLOCK);
  try {
    const header = block && readHeader(block);
    return header && memberHeader(header.name, header.size).equals(header.block) ? header : null;
  } catch (error) {
    if (error instanceof BadTar || error instanceof RangeError) return null;
    throw error;
  }
};

type Checked = { readonly at: number; readonly crc: number };

/** Goes over the data of a member; null where the file ends in it. */
const pastMember = async (handle: FileHandle, { at, crc }: Checked, { size }: Stored): Promise<Checked | null> => {
  let sum = crc;
  for (let done = 0; done < size; ) {
    const piece = await exactly(handle, at + BLOCK + done, Math.min(PIECE, size - done));
    if (!piece) return null;
    sum = crc32(piece, sum);
    done += piece.length;
  }
  return { at: at + lengthOf(size), crc: sum };
};

const belongs = (name: string, { is, path }: Mark): boolean =>
  name.startsWith(`${path}.`) || (is === 'begun' && (name === 'backup-header' || name === 'backup-header.hmac'));

/** Whether the part file has, from one offset on, exactly what was written there when the mark was made. */
const holds = async (handle: FileHandle, mark: Mark, from: number): Promise<boolean> => {
  let checked: Checked | null = { at: from, crc: 0 };
  for (let n = 0; n < mark.members && checked; n++) {
    const member = await headerAt(handle, checked.at);
    checked = member && belongs(member.name, mark) ? await pastMember(handle, checked, member) : null;
  }
  return checked !== null && checked.at === mark.offset && checked.crc === mark.crc;
};

const MOST_HEADER = 4096;

const memberNamed = async (handle: FileHandle, at: number, name: string): Promise<Buffer | null> => {
  const member = await headerAt(handle, at);
  return member?.name === name && member.size <= MOST_HEADER ? exactly(handle, at + BLOCK, member.size) : null;
};

type Opened = { readonly headerKey: Buffer; readonly cost: KeyCost };

const damaged = (path: string): Result<never, Failure> =>
  err(
    failure('D_BACKUP_INVALID', `${path} is not as it was left: it cannot go on`, {
      next: 'domtrail backup cancel   (then make the backup again)',
    }),
  );

/** Proves that the passphrase is the one the backup was begun with: its header opens with it. */
const openedWith = async (handle: FileHandle, path: string, passphrase: string): Promise<Result<Opened, Failure>> => {
  const text = await memberNamed(handle, 0, 'backup-header');
  const hmac = text && (await memberNamed(handle, lengthOf(text.length), 'backup-header.hmac'));
  if (!text || !hmac) return damaged(path);
  let made: Opened | null = null;
  const derive = async (secret: string, parameters: Parameters): Promise<Buffer> => {
    const headerKey = await deriveKey(secret, parameters);
    made = { headerKey, cost: { logN: parameters.logN } };
    return headerKey;
  };
  const authentic = await authenticateHeader(text, hmac, passphrase, derive);
  if (!authentic.ok) return authentic;
  return made ? ok(made) : damaged(path);
};

/** The marks whose files are still as they were written, from the first on. */
const standing = async (handle: FileHandle, marks: readonly ReadMark[]): Promise<readonly ReadMark[]> => {
  let at = 0;
  for (const [index, { mark }] of marks.entries()) {
    if (!(await holds(handle, mark, at))) return marks.slice(0, index);
    at = mark.offset;
  }
  return marks;
};

const summary = (opened: Opened, marks: readonly ReadMark[]): Interrupted | null => {
  const [first] = marks;
  const last = marks.at(-1);
  if (first?.mark.is !== 'begun' || !last) return null;
  const { taken, stamps } = first.mark;
  return {
    ...opened,
    taken,
    stamps: new Map(Object.entries(stamps) as [VolumeKey, string][]),
    finished: marks.flatMap(({ mark }) => (mark.is === 'file' ? [mark.written as Written] : [])),
    offset: last.mark.offset,
    marks: { count: marks.length, end: last.end },
  };
};

const linesIn = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
};

type Place = { readonly path: string; readonly backup: string };

export const placeOf = ({ to, backup }: Archive): Place => ({ path: to.kind === 'file' ? to.path : '', backup });

/**
 * Whether anything of it was complete: only then is there a passphrase to be proven. D_NOT_FOUND where there is no part file
 * at all: the disk it lies on may not be mounted, and nobody wants the backup in the directory underneath.
 */
export const hasBegun = async (place: Place): Promise<Result<boolean, Failure>> => {
  const path = partOf(place);
  try {
    await access(path);
    return ok((await linesIn(marksPathOf(place))).includes('\n'));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') return err(failureOf(error, `${path} cannot be read`));
    const next = 'mount the disk it was written to, or   domtrail backup cancel';
    return err(failure('D_NOT_FOUND', `${path} is not there`, { next }));
  }
};

const look = async (place: Place, text: string, passphrase: string): Promise<Result<Interrupted | null, Failure>> => {
  const path = partOf(place);
  const handle = await open(path, 'r');
  try {
    const opened = await openedWith(handle, path, passphrase);
    if (!opened.ok) return opened;
    const marked = { headerKey: opened.value.headerKey, backupId: place.backup };
    const found = summary(opened.value, await standing(handle, marksIn(text, marked)));
    // The header opens, so there was a first line: without it nobody can tell what the rest is worth.
    return found ? ok(found) : damaged(path);
  } finally {
    await handle.close();
  }
};

/**
 * What an interrupted backup can go on from; null: nothing of it was complete. Changes nothing. D_VERIFY: another passphrase
 * than it was begun with. D_BACKUP_INVALID: what was complete is not there any more. Reads all that is complete once.
 */
export const lookAtInterrupted = async (
  place: Place,
  passphrase: string,
): Promise<Result<Interrupted | null, Failure>> => {
  const begun = await hasBegun(place);
  if (!begun.ok) return begun;
  try {
    return begun.value ? await look(place, await linesIn(marksPathOf(place)), passphrase) : ok(null);
  } catch (error) {
    return err(failureOf(error, `${partOf(place)} cannot be read`));
  }
};
