import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type ArchiveEntry, archiveEntryOf } from './archive-entry.ts';
import { type Changed, changedBetween, NOTHING_CHANGED } from './changed.ts';
import { MOST_TEXT } from './config-text.ts';

/** A file that is there and cannot be read as one of LVM's, with the reason. */
type Unreadable = { readonly file: string; readonly why: string };
/** One of LVM's files, and what changed from it to the next one; nothing is known of what followed the last. */
export type Kept = Omit<ArchiveEntry, 'volumes'> & { readonly file: string; readonly changed: Changed };
/** `left`: older files that were not read, because there are too many or they are too large together. */
export type Archive = {
  readonly entries: readonly Kept[];
  readonly unreadable: readonly Unreadable[];
  readonly left: number;
};

/** LVM keeps 30 days, and at least ten files; a busy host of 600 LVs makes 60 a day of 270 KB (spec: lvm-history §1). */
const MOST_FILES = 10_000;
const MOST_BYTES = 2 ** 31;

/** `VG_NUMBER-RANDOM.vg`; a volume group's name may itself contain `_` and `-`. */
const ARCHIVED = /^([A-Za-z0-9_.+-]+)_([0-9]{5,})-[0-9]+\.vg$/;

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

type Read = { readonly entry: ArchiveEntry; readonly file: string };

const readOne = async (file: string, group: string): Promise<Result<ArchiveEntry, string>> => {
  const text = await textOf(file);
  if (!text.ok) return text;
  const entry = archiveEntryOf(text.value);
  if (!entry.ok) return err(entry.error.message);
  return entry.value.volumeGroup === group ? entry : err(`it is about ${entry.value.volumeGroup}`);
};

const keptOf = ({ entry: { volumes, ...entry }, file }: Read, next: ArchiveEntry | null): Kept => ({
  ...entry,
  file,
  changed: next ? changedBetween(entry.volumeGroup, volumes, next.volumes) : NOTHING_CHANGED,
});

/** One file after the other, as LVM numbered them: never more than two states are in memory. */
const read = async (files: readonly string[], group: string): Promise<Omit<Archive, 'left'>> => {
  const entries: Kept[] = [];
  const unreadable: Unreadable[] = [];
  let last: Read | null = null;
  for (const file of files) {
    const entry = await readOne(file, group);
    if (!entry.ok) {
      unreadable.push({ file, why: entry.error });
      continue;
    }
    if (last) entries.push(keptOf(last, entry.value));
    last = { entry: entry.value, file };
  }
  if (last) entries.push(keptOf(last, null));
  return { entries, unreadable };
};

const numberOf = (name: string): number => Number(ARCHIVED.exec(name)?.[2] ?? 0);

const sizeOf = async (file: string): Promise<number> => {
  try {
    return (await stat(file)).size;
  } catch {
    // Reading it will say why.
    return 0;
  }
};

/** The newest files within the limits, oldest first. */
const withinLimits = async (files: readonly string[]): Promise<readonly string[]> => {
  let bytes = 0;
  let from = files.length;
  while (from > 0 && files.length - from < MOST_FILES) {
    bytes += await sizeOf(files[from - 1] ?? '');
    if (bytes > MOST_BYTES) break;
    from--;
  }
  return files.slice(from);
};

/**
 * What LVM kept of one volume group: the states before its changes, in `archive`, and the one after the last, in
 * `backup`, ordered by seqno. D_BAD_INPUT where a directory cannot be read.
 */
export const readArchive = async (
  { archive, backup }: { readonly archive: string; readonly backup: string },
  group: string,
): Promise<Result<Archive, Failure>> => {
  const archived = await namesIn(archive);
  if (!archived.ok) return archived;
  const backups = await namesIn(backup);
  if (!backups.ok) return backups;
  const files = archived.value
    .filter((name) => ARCHIVED.exec(name)?.[1] === group)
    .sort((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1))
    .map((name) => join(archive, name));
  const chosen = await withinLimits(files);
  const last = backups.value.filter((name) => name === group).map((name) => join(backup, name));
  const { entries, unreadable } = await read([...chosen, ...last], group);
  const ordered = [...entries].sort((a, b) => a.seqno - b.seqno || a.time - b.time || (a.file < b.file ? -1 : 1));
  return ok({ entries: ordered, unreadable, left: files.length - chosen.length });
};
