import type { Manifest, ManifestFile } from './manifest.ts';
import type { FileReport, VmReport } from './verify.ts';

export const missing = (name: string): FileReport => ({
  name,
  size: null,
  sha256: null,
  digest: null,
  stored: null,
  chunks: 0,
  ok: false,
  problem: 'it is not in the backup',
});

/** How a problem begins that was there when the backup was made: what is there of the file is what was written. */
export const UNREAD = 'it could not be read when the backup was made: ';

/** What the list says that a file is not; null when they agree. */
const difference = (file: FileReport, listed: ManifestFile | undefined): string | null => {
  if (!listed) return 'the list of the backup does not have it';
  if (listed.problem !== null) return `${UNREAD}${listed.problem}`;
  if (file.chunks !== listed.chunks) return `it has ${file.chunks} chunks, and ${listed.chunks} were written`;
  if (file.size !== listed.size) return `it has ${file.size} bytes, and ${listed.size} were written`;
  return file.digest === listed.digest ? null : 'its content is not what was written';
};

const checked = (file: FileReport, listed: ManifestFile | undefined): FileReport => {
  const problem = file.ok ? difference(file, listed) : null;
  return problem === null ? file : { ...file, ok: false, problem };
};

const ofVm = (vm: VmReport, files: readonly ManifestFile[]): VmReport => ({
  ...vm,
  files: [
    ...vm.files.map((file) =>
      checked(
        file,
        files.find(({ name }) => name === file.name),
      ),
    ),
    ...files.filter(({ name }) => !vm.files.some((file) => file.name === name)).map(({ name }) => missing(name)),
  ],
});

type Compared = { readonly vms: readonly VmReport[]; readonly problems: readonly string[] };

/** Holds what was found against the list that was written with it: nothing may be missing, and nothing may be too much. */
export const comparedWith = (manifest: Manifest, vms: readonly VmReport[]): Compared => ({
  vms: vms.map((vm) => ofVm(vm, manifest.vms.find(({ name }) => name === vm.name)?.files ?? [])),
  problems: manifest.vms
    .filter(({ name }) => !vms.some((vm) => vm.name === name))
    .map(({ name }) => `VM ${name} is on the list of the backup and not in its qubes.xml`),
});
