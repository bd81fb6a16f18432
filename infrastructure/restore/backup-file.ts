import { createReadStream } from 'node:fs';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type OpenBackup, openBackup } from '../backup/open-backup.ts';
import { rememberedKeys } from '../backup/scrypt-container.ts';
import { stampOf } from '../drivers/stamp.ts';

/** A backup that is read several times, and must be the same file each time. */
export type BackupFile = {
  readonly path: string;
  /** D_INPUT_CHANGED when it was written to or replaced since it was opened first. Closing it is the reader's duty. */
  readonly open: () => Promise<Result<OpenBackup & { readonly close: () => void }, Failure>>;
};

const PIECE = 2 ** 20;

/** D_NOT_FOUND where there is no such file; a pipe cannot be read twice and is refused (D_BAD_INPUT). */
export const backupFile = async (path: string, passphrase: string): Promise<Result<BackupFile, Failure>> => {
  const derive = rememberedKeys();
  const stamp = await stampOf(path).catch(() => null);
  if (stamp === null) return err(failure('D_NOT_FOUND', `there is no backup ${path}, or it may not be read`));
  return ok({
    path,
    open: async () => {
      const now = await stampOf(path).catch(() => null);
      if (now !== stamp)
        return err(failure('D_INPUT_CHANGED', `${path} has changed while it was read`, { next: 'restore it again' }));
      const file = createReadStream(path, { highWaterMark: PIECE });
      const opened = await openBackup(file, { passphrase, derive });
      if (opened.ok) return ok({ ...opened.value, close: () => void file.destroy() });
      file.destroy();
      return opened;
    },
  });
};
