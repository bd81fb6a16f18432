import { createHash } from 'node:crypto';
import type { InnerArchive } from './archives.ts';
import { comparedWith, missing } from './compare.ts';
import { contentDigest } from './content-digest.ts';
import type { BackedUpVm } from './contents.ts';
import { isHome, readHome } from './home-tree.ts';
import { MANIFEST, type Manifest, MOST_MANIFEST, parseManifest } from './manifest.ts';
import type { OpenBackup } from './open-backup.ts';
import { type TarFile, tarFiles } from './sparse-tar/read.ts';
import { wholeContent } from './sparse-tar/whole.ts';

/**
 * A file of a VM in a backup. `size` in bytes and `sha256` of its whole content, null when it could not be read; the latter
 * also when nobody asked for it.
 */
export type FileReport = {
  readonly name: string;
  readonly size: number | null;
  readonly sha256: string | null;
  /** what the list of the backup tells it by: `contentDigest` */
  readonly digest: string | null;
  /** bytes of it that are no hole in the archive */
  readonly stored: number | null;
  readonly chunks: number;
  readonly ok: boolean;
  readonly problem: string | null;
};

export type VmReport = { readonly name: string; readonly class: string; readonly files: readonly FileReport[] };

/** `unchecked`: what a backup of this format cannot prove, as sentences. */
export type BackupReport = {
  readonly ok: boolean;
  readonly format: number;
  readonly vms: readonly VmReport[];
  readonly problems: readonly string[];
  readonly unchecked: readonly string[];
};

/** Templates of format 3 are whole directories: `vm1/./root.img`. */
const nameIn = (vm: string, path: string): string => path.slice(vm.length + 1).replace(/^\.\//, '');

type Found = { readonly vm: string; readonly file: FileReport };

const ownerOf = (vms: readonly BackedUpVm[], path: string): BackedUpVm | null =>
  vms.find((vm) => path === vm.path || path.startsWith(`${vm.path}/`)) ?? null;

/** `vm1/.` is a whole directory (templates of format 3), everything else one file under the path's own name. */
const belongs = ({ path }: InnerArchive, name: string): boolean =>
  path.endsWith('/.') ? name.startsWith(path.slice(0, -1)) : name === path;

/** Files that may be rules, notes or lists are handed out whole up to this size. */
const SMALL = 2 ** 18;

/**
 * Hears of each archive before it is read, and gets the small files in it. `sha256` false: nobody will look at the hashes of
 * whole contents, which for a large image with little in it are most of the work.
 */
type Reader = {
  readonly sha256?: boolean;
  readonly onArchive?: (path: string) => void;
  readonly onSmallFile?: (vm: string, name: string, content: Buffer) => void;
};

/** Reads a file to its end; `content` is what small ones hold. */
const readToEnd = async ({ size, data }: TarFile, reader: Reader) => {
  const sha256 = reader.sha256 === false ? null : createHash('sha256');
  const digest = contentDigest();
  const small = size <= SMALL;
  const content: Buffer[] = [];
  let stored = 0;
  const counted = async function* () {
    for await (const piece of data) {
      stored += piece.bytes.length;
      digest.add(piece.offset, piece.bytes);
      yield piece;
    }
  };
  const keep = (bytes: Buffer): void => {
    sha256?.update(bytes);
    if (small) content.push(Buffer.from(bytes));
  };
  if (small || sha256) for await (const bytes of wholeContent({ size, data: counted() })) keep(bytes);
  else for await (const { bytes } of counted()) keep(bytes);
  const read = { size, sha256: sha256?.digest('hex') ?? null, digest: digest.of(size), stored };
  return { read, content: small ? Buffer.concat(content) : null };
};

const inspect = async (archive: InnerArchive, vm: BackedUpVm, reader: Reader): Promise<readonly Found[]> => {
  const found: Found[] = [];
  const report = (name: string, file: Omit<FileReport, 'name' | 'chunks'>): void => {
    found.push({ vm: vm.path, file: { name: nameIn(vm.path, name), ...file, chunks: archive.chunks() } });
  };
  const bad = (name: string, problem: string): void =>
    report(name, { size: null, sha256: null, digest: null, stored: null, ok: false, problem });
  try {
    if (isHome(archive.path)) {
      const name = archive.path.slice(archive.path.lastIndexOf('/') + 1);
      const read = await readHome(archive.path, archive.content);
      return [{ vm: vm.path, file: { name, ...read, chunks: archive.chunks(), ok: true, problem: null } }];
    }
    for await (const file of tarFiles(archive.content)) {
      if (!belongs(archive, file.name)) {
        bad(archive.path, `it holds ${JSON.stringify(file.name.slice(0, 100))} instead`);
        continue;
      }
      const { read, content } = await readToEnd(file, reader);
      report(file.name, { ...read, ok: true, problem: null });
      if (content) reader.onSmallFile?.(vm.path, nameIn(vm.path, file.name), content);
    }
    if (found.length === 0) bad(archive.path, 'it holds nothing');
  } catch (error) {
    // What was read before the damage cannot be trusted either: it is authenticated only as a whole.
    found.length = 0;
    bad(archive.path, error instanceof Error ? error.message : String(error));
  }
  return found;
};

const reportOf = (vm: BackedUpVm, found: readonly Found[]): VmReport => {
  const files = found.filter((one) => one.vm === vm.path).map(({ file }) => file);
  const wanting = vm.images.filter((image) => !files.some(({ name }) => name === image || name === '.'));
  return { name: vm.name, class: vm.class, files: [...files, ...wanting.map(missing)] };
};

const NO_LIST = 'whether firewall rules, notes and menu lists are complete: the archive has no list of its files';
const NOT_NEWEST = 'whether this is the newest backup';

const listIn = async (archive: InnerArchive): Promise<Manifest | string> => {
  try {
    const pieces: Buffer[] = [];
    for await (const file of tarFiles(archive.content)) {
      if (file.name !== MANIFEST || file.size > MOST_MANIFEST) return 'the list of its files is something else';
      for await (const { bytes } of file.data) pieces.push(bytes);
    }
    return parseManifest(Buffer.concat(pieces).toString('utf8')) ?? 'the list of its files cannot be understood';
  } catch (error) {
    return `the list of its files: ${error instanceof Error ? error.message : String(error)}`;
  }
};

/** The header, which is authenticated, says whether there is a list: one that is missing was cut off. */
const held = (vms: readonly VmReport[], list: Manifest | string | null, { header }: OpenBackup) => {
  if (!header.hasManifest) return { vms, problems: [] };
  if (list === null)
    return { vms, problems: ['the list of its files is missing: the backup was cut off, or never ended'] };
  if (typeof list === 'string') return { vms, problems: [list] };
  const foreign = list.backupId === header.backupId ? [] : ['the list of its files belongs to another backup'];
  const compared = comparedWith(list, vms);
  return { vms: compared.vms, problems: [...foreign, ...compared.problems] };
};

/** Reads a backup to its end and says of every file whether it is whole, and which images are missing. Needs no disk space. */
export const verifyBackup = async (backup: OpenBackup, reader: Reader = {}): Promise<BackupReport> => {
  const found: Found[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  let list: Manifest | string | null = null;
  try {
    for await (const archive of backup.archives) {
      reader.onArchive?.(archive.path);
      const vm = ownerOf(backup.vms, archive.path);
      if (seen.has(archive.path)) problems.push(`${archive.path} comes a second time`);
      else if (archive.path === MANIFEST && backup.header.hasManifest) list = await listIn(archive);
      else if (vm) found.push(...(await inspect(archive, vm, reader)));
      else problems.push(`${archive.path} belongs to no VM of the backup`);
      seen.add(archive.path);
    }
  } catch (error) {
    problems.push(`the file is damaged or cut off: ${error instanceof Error ? error.message : String(error)}`);
  }
  const reports = backup.vms.map((vm) => reportOf(vm, found));
  const { vms, problems: more } = held(reports, list, backup);
  const all = [...problems, ...more, ...backup.strange];
  const ok = all.length === 0 && vms.every(({ files }) => files.every((file) => file.ok));
  const unchecked = backup.header.hasManifest ? [NOT_NEWEST] : [NO_LIST, NOT_NEWEST];
  return { ok, format: backup.header.version, vms, problems: all, unchecked };
};
