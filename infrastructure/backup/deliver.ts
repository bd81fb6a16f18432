import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Deliver } from '../../domain/backup/archive.ts';
import type { Evidence } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sync } from '../drivers/sync.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import type { Keeper } from '../runner/keeper.port.ts';

type Named = Pick<Deliver, 'path' | 'backup'>;

/** A file name holds 255 bytes; a character takes up to 4, a backup-id 24. */
const KEPT_CHARACTERS = 50;

/** Where a backup grows: beside its file, under a name that nothing else has. */
export const partOf = ({ path, backup }: Named): string =>
  join(dirname(path), `.${Array.from(basename(path)).slice(0, KEPT_CHARACTERS).join('')}.${backup}.part`);

/** What of it is complete, line by line. */
export const marksPathOf = (named: Named): string => `${partOf(named)}.done`;

const HEAD = 4096;

const headOf = async (path: string): Promise<string | null> => {
  try {
    const handle = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(HEAD);
      const { bytesRead } = await handle.read(buffer, 0, HEAD, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
};

const isBackup = (head: string, backup: string): boolean => head.includes(`\nbackup-id=${backup}\n`);

const exists = (path: string): Result<never, Failure> =>
  err(
    failure('D_EXISTS', `${path} is there already; a backup replaces no file`, { next: 'give another name with -o' }),
  );

/** Whether a backup may be made for this path: nothing may be there, and its directory takes files. */
export const targetIsFree = async (path: string): Promise<Result<null, Failure>> => {
  try {
    return (await headOf(path)) === null ? ok(null) : exists(path);
  } catch (error) {
    return err(failureOf(error, `${path} cannot be looked at`));
  }
};

const look = async (deed: Deliver): Promise<Result<'done' | 'ready', Failure>> => {
  const there = await headOf(deed.path);
  if (there !== null && !isBackup(there, deed.backup)) return exists(deed.path);
  if (there !== null) {
    // Perhaps we were killed right after the rename: only now does the name survive a power cut.
    await sync(dirname(deed.path));
    return ok('done');
  }
  const part = await headOf(partOf(deed));
  if (part !== null && isBackup(part, deed.backup)) return ok('ready');
  return err(failure('D_DRIFT', `${partOf(deed)}, which held the backup, is gone`));
};

const NOTHING_RAN: Evidence = { argv: [], exitCode: null, stderr: '', durationMs: 0 };

/** Renames a backup that is whole to the name it was made for. */
export const deliveries: Keeper<Deliver> = {
  look: async (deed) => {
    try {
      return await look(deed);
    } catch (error) {
      return err(failureOf(error, `${deed.path} cannot be looked at`));
    }
  },
  act: async (deed) => {
    try {
      await rename(partOf(deed), deed.path);
      await sync(dirname(deed.path));
      return { evidence: NOTHING_RAN, failure: null };
    } catch (error) {
      return { evidence: NOTHING_RAN, failure: failureOf(error, `the backup could not be named ${deed.path}`) };
    }
  },
};

/** Removes what grew for a backup: nothing of it is left once it has its name, and nothing of one that will not be. */
export const discardPart = async (named: Named): Promise<void> => {
  await rm(partOf(named), { force: true });
  await rm(marksPathOf(named), { force: true });
};
