import type { Disk, DiskRef, Place } from '../disk.ts';
import type { VmName, VolumeKey } from '../names.ts';
import type { ContentTarget, Deed } from '../steps.ts';

/** The compressors of a backup that every stock reader accepts unasked, or has when it is installed. */
export type Compression = 'gzip' | 'zstd' | 'none';

/** A volume of a backup: the disk that is read, which nobody changes meanwhile, and the committed one it stands for. */
export type ArchivedVolume = {
  readonly volume: VolumeKey;
  /** `private.img` */
  readonly file: string;
  readonly disk: DiskRef;
  readonly at: Place;
  readonly committed: Disk;
};

/**
 * `dir`: where the VM's files lie in the backup, `vm7`. `running`: its session is not in the backup. `home`: of dom0, its
 * user's home directory, which nothing can pin: it is read as it is then.
 */
export type ArchivedVm = {
  readonly vm: VmName;
  readonly dir: string;
  readonly running: boolean;
  readonly volumes: readonly ArchivedVolume[];
  readonly home?: { readonly path: string };
};

/** The name of a home directory, which names its file in the backup. */
export const homeName = ({ path }: { readonly path: string }): string => path.slice(path.lastIndexOf('/') + 1);

/** Writes volumes into a backup; where it goes to a file, beside that file. `backup` is its backup-id. */
export type Archive = {
  readonly do: 'archive';
  readonly to: ContentTarget;
  readonly backup: string;
  readonly compression: Compression;
  readonly vms: readonly ArchivedVm[];
};

/** Gives a backup that is whole its name. */
export type Deliver = { readonly do: 'deliver'; readonly path: string; readonly backup: string };

/**
 * What became of one file of a backup. Sizes in bytes, `stored` without holes; `digest` tells its content: a
 * sha256 over its data and where that lies. `problem`: why it is not whole; its size and digest mean nothing then.
 */
export type Written = {
  readonly vm: VmName;
  /** null for what is no volume: `firewall.xml` */
  readonly volume: VolumeKey | null;
  readonly file: string;
  readonly bytes: number;
  readonly stored: number;
  readonly digest: string;
  readonly chunks: number;
  readonly durationMs: number;
  readonly problem: string | null;
};

export const isArchive = (deed: Deed): deed is Archive => deed.do === 'archive';

/** The backup's name for the log: what people call the file. */
export const backupName = (to: ContentTarget): string =>
  to.kind === 'stdout' ? '-' : to.path.slice(to.path.lastIndexOf('/') + 1).slice(0, 255);
