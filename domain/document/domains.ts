import type { Failure } from '../failure.ts';
import type { VmName } from '../names.ts';
import { ok, type Result } from '../result.ts';
import { DEFAULT_VOLUMES } from '../vm/default-volumes.ts';
import { encodeVmProperty } from '../vm/property-rules.ts';
import { isWriteOnce, LATE_PROPERTIES, vmProperty } from '../vm/property-table.ts';
import { parseBool } from '../vm/property-values.ts';
import type { Vm, VmClass } from '../vm/vm.ts';
import type { Document, DocumentDomain, DocumentEntry } from './commands.ts';
import { type Draft, type Loaded, type Loading, quoted, refuse, refused, type VolumeConfig } from './draft.ts';
import { hasControls } from './text-rules.ts';

const CLASSES: readonly VmClass[] = ['AdminVM', 'AppVM', 'DispVM', 'RemoteVM', 'StandaloneVM', 'TemplateVM'];

/** A property of an older Qubes under its new name; the element itself goes. */
type Migration = { readonly from: string; readonly to: string; readonly text: (word: 'True' | 'False') => string };

const HVM: Migration = { from: 'hvm', to: 'virt_mode', text: (word) => (word === 'True' ? 'hvm' : 'pv') };
const DISPVM_ALLOWED: Migration = { from: 'dispvm_allowed', to: 'template_for_dispvms', text: (word) => word };

const migrationsOf = (vmClass: VmClass): readonly Migration[] => {
  if (vmClass === 'AdminVM' || vmClass === 'RemoteVM') return [];
  return vmClass === 'AppVM' ? [DISPVM_ALLOWED, HVM] : [HVM];
};

/** Puts what a migrated element said in front, where a property of the new name still overrides it. */
const migrate = (
  where: string,
  vmClass: VmClass,
  properties: readonly DocumentEntry[],
): Result<readonly DocumentEntry[], Failure> => {
  let left = properties;
  for (const { from, to, text } of migrationsOf(vmClass)) {
    const at = left.findIndex(({ name }) => name === from);
    if (at < 0) continue;
    const word = parseBool(left[at]?.text ?? null);
    if (word === null) return refuse(where, `${from} takes True or False`);
    left = [{ name: to, text: text(word) }, ...left.slice(0, at), ...left.slice(at + 1)];
  }
  return ok(left);
};

const emptyVm = (vmClass: VmClass): Vm => ({
  name: 'dom0' as VmName,
  class: vmClass,
  power: { is: 'halted' },
  properties: {},
  features: {},
  tags: [],
  volumes: {},
  firewall: null,
  published: null,
});

/** The early properties, in document order: of two the last counts, but what is written once may stand once. */
const earlyProperties = (loading: Loading, vm: Vm, where: string, properties: readonly DocumentEntry[]) => {
  const set: Record<string, string> = {};
  for (const { name, text } of properties) {
    if (name === null || vmProperty(vm.class, name) === null)
      return refuse(where, `property ${quoted(name)} is not one of ${vm.class} that can be loaded`);
    if (LATE_PROPERTIES.has(name)) continue;
    if (isWriteOnce(name) && Object.hasOwn(set, name)) return refuse(where, `property ${name} stands there twice`);
    const encoded = encodeVmProperty(loading.host, vm, name, text);
    if (!encoded.ok) return refused(where, encoded.error);
    set[name] = encoded.value;
  }
  return ok(set);
};

const shapesOf = (vmClass: VmClass): Map<string, VolumeConfig> => {
  const flag = (value: boolean): string => (value ? 'True' : 'False');
  const own = vmClass === 'TemplateVM' || vmClass === 'StandaloneVM';
  return new Map(
    DEFAULT_VOLUMES[vmClass].map((shape) => {
      const config: VolumeConfig = new Map<string, string | null>([
        ['name', shape.name],
        ['snap_on_start', flag(shape.snapOnStart)],
        ['save_on_stop', flag(shape.saveOnStop)],
        ['rw', flag(shape.rw)],
      ]);
      // The class says so even where there is no template to take a source from.
      if (shape.snapOnStart || (own && shape.saveOnStop)) config.set('source', null);
      if (!shape.snapOnStart && shape.name !== 'kernel') config.set('size', `${shape.bytes}`);
      return [shape.name, config];
    }),
  );
};

/** Class defaults, overridden attribute by attribute; a volume that the class does not have begins with the element. */
const volumesOf = (where: string, vmClass: VmClass, { volumes }: DocumentDomain) => {
  const configs = shapesOf(vmClass);
  for (const attributes of volumes) {
    const name = attributes['name'];
    if (!name || hasControls(name) || name.includes(':'))
      return refuse(where, `${quoted(name ?? null)} is no name for a volume`);
    const config: VolumeConfig = configs.get(name) ?? new Map();
    for (const [key, value] of Object.entries(attributes)) config.set(key, value);
    configs.set(name, config);
  }
  return ok(configs);
};

type Named = { readonly name: VmName; readonly properties: Readonly<Record<string, string>> };

const LONGEST_NAME = 1024;

const nameOf = (vm: Vm, where: string, { name, ...rest }: Record<string, string>): Result<Named, Failure> => {
  if (vm.class === 'AdminVM') return ok({ name: 'dom0' as VmName, properties: rest });
  if (name === undefined) return refuse(where, 'it has no name');
  if (rest['qid'] === undefined) return refuse(where, 'it has no qid');
  if (hasControls(name) || name.length > LONGEST_NAME)
    return refuse(where, 'its name holds control characters or is too long');
  return ok({ name: name as VmName, properties: rest });
};

const qidOf = (vm: Vm): string => (vm.class === 'AdminVM' ? '0' : (vm.properties['qid'] ?? ''));

const add = (loading: Loading, vm: Vm, draft: Omit<Draft, 'name'>): Loaded => {
  const where = `VM ${quoted(vm.name)}`;
  for (const other of loading.host.vms.values()) {
    if (qidOf(other) === qidOf(vm)) return refuse(where, `its qid ${qidOf(vm)} is that of ${other.name}`);
    if (other.name === vm.name) return refuse(where, 'there is another of that name');
  }
  loading.host.vms.set(vm.name, vm);
  loading.drafts.set(vm.name, { name: vm.name, ...draft });
  return ok(null);
};

const loadDomain = (loading: Loading, element: DocumentDomain, number: number): Loaded => {
  const place = `domain ${number}`;
  const vmClass = CLASSES.find((one) => one === element.class);
  if (!vmClass) return refuse(place, `there is no class ${quoted(element.class)}`);
  const migrated = migrate(place, vmClass, element.properties);
  if (!migrated.ok) return migrated;
  const volumes = volumesOf(place, vmClass, element);
  if (!volumes.ok) return volumes;
  const vm = emptyVm(vmClass);
  const early = earlyProperties(loading, vm, place, migrated.value);
  if (!early.ok) return early;
  const named = nameOf(vm, place, early.value);
  if (!named.ok) return named;
  // Stock looks at the PCI devices when it takes pvh, and writes an empty element for what it looked at.
  const devices = early.value['virt_mode'] === 'pvh' ? { devices: { pci: [] } } : {};
  const draft = { element: { ...element, properties: migrated.value }, volumes: volumes.value };
  return add(loading, { ...vm, ...named.value, ...devices }, draft);
};

/** Stage 2: every domain in document order; a document without dom0 gets one, without a label. */
export const loadDomains = (loading: Loading, { domains }: Document): Loaded => {
  for (const [at, element] of domains.entries()) {
    const loaded = loadDomain(loading, element, at + 1);
    if (!loaded.ok) return loaded;
  }
  if ([...loading.host.vms.values()].some((vm) => vm.class === 'AdminVM')) return ok(null);
  return add(loading, emptyVm('AdminVM'), { element: null, volumes: new Map() });
};
