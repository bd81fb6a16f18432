import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type ArchiveEntry, archiveEntryOf } from './archive-entry.ts';
import { MOST_TEXT } from './config-text.ts';

/** A file that is there and cannot be read as one of LVM's, with the reason. */
type Unreadable = { readonly file: string; readonly why: string };
export type Archive = {
  readonly entries: readonly (ArchiveEntry & { readonly file: string })[];
  readonly unreadable: readonly Unreadable[];
};

/** `VG_NUMBER-RANDOM.vg`; a volume group's name may itself contain `_` and `-`. */
const ARCHIVED = /^([A-Za-z0-9_.+-]+)_[0-9]{5,}-[0-9]+\.vg$/;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

const textOf = async (file: string): Promise<Result<string, string>> => {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      return size > MOST_TEXT ? err('it is too large') : ok(await handle.readFile('utf8'));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return err(codeOf(error));
  }
};

const namesIn = async (dir: string): Promise<Result<readonly string[], Failure>> => {
  try {
    return ok(await readdir(dir));
  } catch (error) {
    const cause = codeOf(error);
    if (cause === 'ENOENT') return ok([]);
    const next = cause === 'EACCES' ? 'run it as root, or on a copy with --archive DIR' : 'domtrail help witness';
    return err(failure('D_BAD_INPUT', `${dir} cannot be read`, { cause, next }));
  }
};

const read = async (files: readonly string[], group: string): Promise<Archive> => {
  const entries: Archive['entries'][number][] = [];
  const unreadable: Unreadable[] = [];
  for (const file of files) {
    const text = await textOf(file);
    const entry = text.ok ? archiveEntryOf(text.value) : text;
    if (!entry.ok) unreadable.push({ file, why: typeof entry.error === 'string' ? entry.error : entry.error.message });
    else if (entry.value.volumeGroup !== group)
      unreadable.push({ file, why: `it is about ${entry.value.volumeGroup}` });
    else entries.push({ ...entry.value, file });
  }
  return { entries, unreadable };
};

/**
 * What LVM kept of one volume group: the states before its changes, in `archive`, and the one after the last, in
 * `backup`, ordered by seqno. One file is in memory at a time. D_BAD_INPUT where a directory cannot be read.
 */
export const readArchive = async (
  { archive, backup }: { readonly archive: string; readonly backup: string },
  group: string,
): Promise<Result<Archive, Failure>> => {
  const archived = await namesIn(archive);
  if (!archived.ok) return archived;
  const backups = await namesIn(backup);
  if (!backups.ok) return backups;
  const files = [
    ...archived.value.filter((name) => ARCHIVED.exec(name)?.[1] === group).map((name) => join(archive, name)),
    ...backups.value.filter((name) => name === group).map((name) => join(backup, name)),
  ];
  const { entries, unreadable } = await read(files, group);
  const ordered = [...entries].sort((a, b) => a.seqno - b.seqno || a.time - b.time || (a.file < b.file ? -1 : 1));
  return ok({ entries: ordered, unreadable });
};
