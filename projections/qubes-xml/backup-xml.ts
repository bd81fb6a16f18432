import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VmName } from '../../domain/names.ts';
import type { Result } from '../../domain/result.ts';
import { featureNames, type Vm } from '../../domain/vm/vm.ts';
import { qubesXml } from './qubes-xml.ts';

type Mark = { readonly path: string; readonly bytes: number };

const isKept = (name: string): boolean =>
  !name.startsWith('backup-') && (!name.startsWith('preload-dispvm') || name === 'preload-dispvm-max');

/** A VM as a backup has it: every one says whether it is in there, those that are also where and how large. */
const marked = (vm: Vm, mark: Mark | undefined): Vm => {
  const own = featureNames(vm).filter(isKept);
  const added: Readonly<Record<string, string>> = mark
    ? { 'backup-content': '1', 'backup-path': mark.path, 'backup-size': `${mark.bytes}` }
    : { 'backup-content': '' };
  const features = { ...Object.fromEntries(own.map((name) => [name, vm.features[name] ?? ''])), ...added };
  return { ...vm, features, featureOrder: [...own, ...Object.keys(added)] };
};

/** qubes.xml as it stands in a backup of some VMs (spec: backup-format 5); all the others are in it too. */
export const backupXml = (host: Host, marks: ReadonlyMap<VmName, Mark>): Result<string, Failure> =>
  qubesXml({
    ...host,
    vms: new Map([...host.vms].map(([name, vm]) => [name, marked(vm, marks.get(name))])),
  });
