import { mkdir, rm } from 'node:fs/promises';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { UNREAD } from '../backup/compare.ts';
import { isHome, throughProgram } from '../backup/home-tree.ts';
import { errorCode, failureOf } from '../drivers/system-failure.ts';
import type { BackupFile } from './backup-file.ts';
import type { Survey } from './read-through.ts';

/** dom0's home in a backup. `lacks`: what could not be read when it was made; null when it is all there. */
export type HomeInBackup = { readonly user: string; readonly lacks: string | null };

/** Null for a backup that has none. D_BACKUP_INVALID where what is there of it cannot be trusted. */
export const homeIn = ({ vms, report }: Survey): Result<HomeInBackup | null, Failure> => {
  const dom0 = vms.find((vm) => vm.class === 'AdminVM');
  const [file] = report.vms.find(({ name }) => name === dom0?.name)?.files ?? [];
  if (!dom0 || !isHome(dom0.path) || !file) return ok(null);
  if (file.ok) return ok({ user: file.name, lacks: null });
  if (file.sha256 !== null && file.problem?.startsWith(UNREAD)) return ok({ user: file.name, lacks: file.problem });
  return err(failure('D_BACKUP_INVALID', `dom0's home cannot be restored: ${file.problem}`));
};

/** Its name and one above it are the backup's: `dom0-home/user/.bashrc`. */
const unpacking = (into: string): readonly [string, ...string[]] => [
  'tar',
  '--extract',
  '--preserve-permissions',
  '--strip-components=2',
  '--file=-',
  `--directory=${into}`,
];

const unpack = async (backup: BackupFile, into: string): Promise<Result<null, Failure>> => {
  const opened = await backup.open();
  if (!opened.ok) return opened;
  try {
    for await (const archive of opened.value.archives) {
      if (!isHome(archive.path)) continue;
      await throughProgram(unpacking(into), archive.content);
      return ok(null);
    }
    return err(failure('D_INPUT_CHANGED', "dom0's home is not in the backup any more"));
  } finally {
    opened.value.close();
  }
};

const fresh = async (into: string): Promise<Result<null, Failure>> => {
  try {
    await mkdir(into, { mode: 0o700 });
    return ok(null);
  } catch (error) {
    if (errorCode(error) === 'EEXIST')
      return err(failure('D_EXISTS', `${into} is there already`, { next: 'give another directory with --home-to' }));
    return err(failureOf(error, `${into} cannot be made`));
  }
};

/**
 * Unpacks dom0's home into a directory that is made for it (0700) and gone again when anything goes wrong. Never over a home
 * in use: whoever restores takes from there what they want, as with stock.
 */
export const restoreHome = async (backup: BackupFile, into: string): Promise<Result<null, Failure>> => {
  const made = await fresh(into);
  if (!made.ok) return made;
  const unpacked = await unpack(backup, into).catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : String(error);
    return err(failure('D_STEP_FAILED', "dom0's home could not be restored", { cause }));
  });
  if (!unpacked.ok) await rm(into, { recursive: true, force: true });
  return unpacked;
};
