import type { InnerArchive } from '../backup/archives.ts';
import { tarFiles } from '../backup/sparse-tar/read.ts';
import { wholeContent } from '../backup/sparse-tar/whole.ts';
import type { Backup } from '../runner/bind-deed.ts';
import type { BackupFile } from './backup-file.ts';

/** A file of the backup cannot be had a second time. */
class NotThere extends Error {}

/** `vm1/.` is a whole directory (templates of format 3), everything else one file under its own name. */
const holds = (archive: string, file: string): boolean =>
  archive === file || (archive.endsWith('/.') && file.startsWith(archive.slice(0, -1)));

type Reading = { readonly archives: AsyncGenerator<InnerArchive>; readonly close: () => void };

/**
 * Gives the content of one file after the other. The backup is read on from where it stands, and from its beginning when
 * the wanted file has passed: asking in the order of the backup costs one reading. One file at a time.
 */
export const feedFrom = (backup: BackupFile): { readonly content: Backup; readonly close: () => void } => {
  let reading: Reading | null = null;
  const close = (): void => {
    reading?.close();
    reading = null;
  };
  const fromHere = async (file: string): Promise<InnerArchive | null> => {
    if (!reading) {
      const opened = await backup.open();
      if (!opened.ok) throw new NotThere(opened.error.message);
      reading = opened.value;
    }
    for (;;) {
      const next = await reading.archives.next();
      if (next.done) return null;
      if (holds(next.value.path, file)) return next.value;
    }
  };
  const archiveOf = async (file: string): Promise<InnerArchive> => {
    const ahead = reading ? await fromHere(file) : null;
    if (ahead) return ahead;
    close();
    const found = await fromHere(file);
    if (found) return found;
    throw new NotThere(`${file} is not in the backup any more`);
  };
  async function* contentOf(file: string): AsyncGenerator<Buffer> {
    const archive = await archiveOf(file);
    let found = false;
    // Read to its very end: what authenticates the last piece comes after it.
    for await (const one of tarFiles(archive.content)) {
      if (one.name.replace('/./', '/') !== file) continue;
      found = true;
      yield* wholeContent(one);
    }
    if (!found) throw new NotThere(`${file} is not in its archive any more`);
  }
  return { content: (file) => () => contentOf(file), close };
};
