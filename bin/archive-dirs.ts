import type { Arguments } from '../infrastructure/cli/arguments.ts';
import type { Dirs } from '../infrastructure/service/lvm-archive.ts';

export const ARCHIVE_OPTIONS = { archive: 'value', backup: 'value' } as const;

/** Where LVM keeps what it wrote down, or a copy of that. */
export const archiveDirs = (args: Arguments): Dirs => ({
  archive: args.text('archive') ?? '/etc/lvm/archive',
  backup: args.text('backup') ?? '/etc/lvm/backup',
});
