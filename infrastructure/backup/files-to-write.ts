import { type Archive, type ArchivedVm, homeName } from '../../domain/backup/archive.ts';
import type { DiskId } from '../../domain/disk.ts';
import type { Failure } from '../../domain/failure.ts';
import { filedLines } from '../../domain/firewall/firewall.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VmName, VolumeKey } from '../../domain/names.ts';
import type { Result } from '../../domain/result.ts';
import type { Image } from '../drivers/image.ts';
import { firewallXml } from '../firewall-xml/write.ts';
import { marksPathOf, partOf } from './deliver.ts';
import { usedBy } from './home-tree.ts';
import type { Interrupted } from './interrupted.ts';
import type { KeyCost } from './seal.ts';
import type { FileToWrite } from './write-backup.ts';

/** Where a VM's files are in a backup, and how many bytes its disks have there. */
type Marks = ReadonlyMap<VmName, { readonly path: string; readonly bytes: number }>;

/**
 * What making a backup needs besides its plan. `host`: the state whose picture it is. `committed`: when a disk's state was,
 * as far as the log knows. `interrupted`: what is there already of a backup that goes on.
 */
export type Making = {
  readonly passphrase: string;
  readonly cost: KeyCost;
  readonly chunkBytes?: number;
  readonly host: () => Host;
  readonly qubesXml: (host: Host, marks: Marks) => Result<string, Failure>;
  readonly committed: (volume: VolumeKey, disk: DiskId) => FileToWrite['committed'];
  readonly signal: AbortSignal;
  readonly stallMs: number;
  readonly stdout: number;
  readonly interrupted?: Interrupted;
};

export type Images = ReadonlyMap<VolumeKey, Image>;

/** Bytes of an image that are no hole, as far as its driver knows. */
export const dataIn = ({ bytes, ranges }: Image): number =>
  ranges ? ranges.reduce((sum, { length }) => sum + length, 0) : bytes;

const imageOf = (images: Images, volume: VolumeKey): Image => {
  const image = images.get(volume);
  if (!image) throw new Error(`there is no image of ${volume}`);
  return image;
};

const small = (file: string, text: string): FileToWrite => ({
  file,
  volume: null,
  content: Buffer.from(text, 'utf8'),
  disk: null,
  committed: null,
});

/** What stock adds to a VM's volumes (spec: backup-format 1): its rules, its notes, and the menu entries as a list. */
const smallFiles = (host: Host, name: VmName): readonly FileToWrite[] => {
  const vm = host.vms.get(name);
  const menu = vm?.features['menu-items']?.split(' ').filter((item) => item !== '') ?? [];
  const lines = vm ? filedLines(vm.firewall) : null;
  return [
    ...(menu.length === 0 ? [] : [small('whitelisted-appmenus.list', `${menu.join('\n')}\n`)]),
    ...(lines === null ? [] : [small('firewall.xml', firewallXml(lines))]),
    ...(vm?.notes === undefined ? [] : [small('notes.txt', vm.notes)]),
  ];
};

/** The files of this very backup, which grow while it is written. */
const own = ({ to, backup }: Archive): readonly string[] =>
  to.kind === 'stdout' ? [] : [partOf({ path: to.path, backup }), marksPathOf({ path: to.path, backup })];

const homeFile = (home: { readonly path: string }, archive: Archive): FileToWrite => ({
  file: homeName(home),
  volume: null,
  content: { home: home.path, without: own(archive) },
  disk: null,
  committed: null,
});

export type Sources = { readonly archive: Archive; readonly images: Images; readonly making: Making };

/** What is written of a VM. */
export const filesOf = (
  { vm, volumes, home }: ArchivedVm,
  { archive, images, making }: Sources,
): readonly FileToWrite[] => {
  if (home) return [homeFile(home, archive)];
  const { host, committed } = making;
  const files = [
    ...volumes.map(
      (one): FileToWrite => ({
        file: one.file,
        volume: one.volume,
        content: imageOf(images, one.volume),
        disk: one.committed.id,
        committed: committed(one.volume, one.committed.id),
      }),
    ),
    ...smallFiles(host(), vm),
  ];
  // A directory that has nothing in it would not be found by tar when stock restores it.
  return files.length === 0 ? [small('empty', '')] : files;
};

/** What qubes.xml says of each VM in the backup. */
export const marksOf = async ({ vms }: Archive, images: Images): Promise<Marks> => {
  const marks = new Map<VmName, { readonly path: string; readonly bytes: number }>();
  for (const { vm, dir, volumes, home } of vms) {
    const disks = volumes.reduce((sum, { volume }) => sum + dataIn(imageOf(images, volume)), 0);
    marks.set(vm, {
      path: home ? `${dir}/${homeName(home)}` : `${dir}/`,
      bytes: home ? await usedBy(home.path) : disks,
    });
  }
  return marks;
};
