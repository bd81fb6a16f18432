import type { Compression, Written } from '../../domain/backup/archive.ts';
import type { VmName, VolumeKey } from '../../domain/names.ts';
import { type ChunkRoom, expectFile } from './chunk-writer.ts';
import { MANIFEST, type Manifest, type ManifestFile, manifestText } from './manifest.ts';
import type { Milestones } from './milestones.ts';
import type { OuterArchive } from './outer-archive.ts';
import { type Content, SourceFailed, type Streaming, writeContent, writeSmall } from './write-content.ts';

/** A file of a VM to be written: an image, something small, or dom0's home. `committed`: when its state was, as far as the log knows. */
export type FileToWrite = {
  readonly file: string;
  readonly volume: VolumeKey | null;
  readonly content: Content;
  readonly disk: string | null;
  readonly committed: { readonly event: number; readonly time: string } | null;
};

type VmToWrite = {
  readonly vm: VmName;
  readonly dir: string;
  readonly running: boolean;
  readonly files: readonly FileToWrite[];
};

/** A backup to be written. `taken`: the log's position and the time of the picture. */
export type BackupToWrite = Streaming & {
  readonly qubesXml: string;
  readonly vms: readonly VmToWrite[];
  readonly taken: { readonly event: number; readonly time: string };
};

/** `manifest` is a key that stock readers do not know and pass over (spec: backup-format 2). */
const headerText = (compression: Compression, backupId: string): string =>
  [
    'version=4',
    'encrypted=True',
    `compressed=${compression === 'none' ? 'False' : 'True'}`,
    `compression-filter=${compression === 'none' ? 'gzip' : compression}`,
    'hmac-algorithm=scrypt',
    `backup-id=${backupId}`,
    'manifest=True\n',
  ].join('\n');

const writeMember = async (outer: OuterArchive, name: string, bytes: Buffer): Promise<void> => {
  const member = await outer.member(name);
  await member.write(bytes);
  await member.end();
};

/** Gives the key of the container that authenticates it. */
const writeHeader = async (room: ChunkRoom, compression: Compression): Promise<Buffer> => {
  const text = Buffer.from(headerText(compression, room.backupId), 'latin1');
  const seal = await room.seals.take(`backup-header!${room.passphrase}`);
  await writeMember(room.outer, 'backup-header', text);
  const body = seal.update(text);
  await writeMember(room.outer, 'backup-header.hmac', Buffer.concat([seal.head, body, seal.end()]));
  return seal.key;
};

const writeFile = async (
  room: ChunkRoom,
  { vm, dir }: VmToWrite,
  one: FileToWrite,
  backup: BackupToWrite,
): Promise<Written> => {
  const path = `${dir}/${one.file}`;
  const started = performance.now();
  const base = { vm, volume: one.volume, file: one.file };
  const since = () => Math.round(performance.now() - started);
  try {
    const read = await writeContent(room, path, one.content, backup);
    return { ...base, problem: null, ...read, durationMs: since() };
  } catch (error) {
    if (!(error instanceof SourceFailed)) throw error;
    const bytes = 'bytes' in one.content ? one.content.bytes : 0;
    return { ...base, bytes, stored: 0, digest: '', chunks: error.chunks, durationMs: since(), problem: error.message };
  }
};

const listed = (one: FileToWrite, written: Written): ManifestFile => ({
  name: one.file,
  chunks: written.chunks,
  size: written.bytes,
  digest: written.problem === null ? written.digest : null,
  disk: one.disk,
  event: one.committed?.event ?? null,
  time: one.committed?.time ?? null,
  problem: written.problem?.slice(0, 1000) ?? null,
});

const writeBeginning = async (room: ChunkRoom, backup: BackupToWrite): Promise<Buffer> => {
  const headerKey = await writeHeader(room, backup.compression);
  await writeSmall(room, 'qubes.xml', Buffer.from(backup.qubesXml, 'utf8'), backup);
  return headerKey;
};

const pathsOf = ({ vms }: BackupToWrite): readonly string[] => [
  ...vms.flatMap(({ dir, files }) => files.map(({ file }) => `${dir}/${file}`)),
  MANIFEST,
];

const manifestOf = (room: ChunkRoom, { vms, taken }: BackupToWrite, all: readonly Written[]): Manifest => {
  const rest = all[Symbol.iterator]();
  const next = (file: FileToWrite): ManifestFile => {
    const { value } = rest.next();
    if (!value) throw new Error(`${file.file} was not written`);
    return listed(file, value);
  };
  return {
    format: 1,
    backupId: room.backupId,
    ...taken,
    vms: vms.map(({ vm, dir, running, files }) => ({ name: vm, path: dir, running, files: files.map(next) })),
  };
};

/** A backup that has another beginning than the one that goes on. */
export class AnotherBackup extends Error {}

const mustContinue = ({ vms }: BackupToWrite, finished: readonly Written[]): void => {
  const files = vms.flatMap(({ vm, files: own }) => own.map(({ file }) => `${vm}: ${file}`));
  const other = finished.find(({ vm, file }, at) => files[at] !== `${vm}: ${file}`);
  if (other) throw new AnotherBackup(`${other.vm}: ${other.file} would not be in its place any more`);
};

/** How far a backup is: what is there already (null: nothing), and who hears of what comes. */
export type Course = { readonly finished: readonly Written[] | null; readonly milestones: Milestones };

/**
 * Writes a backup of format 4 from its header, or from the first file that is not there yet, to the list of its files, and
 * says what became of each. A disk that cannot be read costs its own file; everything else that goes wrong is thrown.
 */
export const writeBackup = async (
  room: ChunkRoom,
  backup: BackupToWrite,
  { finished, milestones }: Course,
): Promise<readonly Written[]> => {
  if (finished) mustContinue(backup, finished);
  else await milestones.begun(await writeBeginning(room, backup));
  const paths = pathsOf(backup);
  const all: Written[] = [...(finished ?? [])];
  const files = backup.vms.flatMap((vm) => vm.files.map((file) => ({ vm, file })));
  for (const { vm, file } of files.slice(all.length)) {
    const soon = paths.slice(all.length, all.length + 3);
    for (const path of soon) expectFile(room, path);
    const written = await writeFile(room, vm, file, backup);
    all.push(written);
    await milestones.finished(`${vm.dir}/${file.file}`, written);
  }
  await writeSmall(room, MANIFEST, Buffer.from(manifestText(manifestOf(room, backup, all)), 'utf8'), backup);
  return all;
};
