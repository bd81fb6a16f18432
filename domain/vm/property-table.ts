import type { ValueKind } from './property-values.ts';
import type { VmClass } from './vm.ts';

/** `label`, `vm` and `pool` name something else of the host. */
export type PropertyKind = ValueKind | 'label' | 'vm' | 'pool';

type Property = { readonly kind: PropertyKind; readonly only?: readonly VmClass[] };

const QUBES_VMS: readonly VmClass[] = ['AppVM', 'DispVM', 'StandaloneVM', 'TemplateVM'];
const LOCAL_VMS: readonly VmClass[] = [...QUBES_VMS, 'AdminVM'];
const BUT_DOM0: readonly VmClass[] = [...QUBES_VMS, 'RemoteVM'];

const of = (kind: PropertyKind, only: readonly VmClass[] = QUBES_VMS): Property => ({ kind, only });

/** Properties that stock saves for VMs, and the classes that have them (spec: qubes-xml A.2; test/vectors/qubes-properties.json). */
const VM_PROPERTIES: Readonly<Record<string, Property>> = {
  appvm_default_bootmode: of('text', ['TemplateVM']),
  audiovm: of('vm'),
  auto_cleanup: of('bool', ['DispVM']),
  autostart: of('bool'),
  backup_timestamp: of('int'),
  bootmode: of('text'),
  debug: of('bool'),
  default_dispvm: of('vm', LOCAL_VMS),
  default_user: of('user'),
  devices_denied: of('denied', LOCAL_VMS),
  dispid: of('int', ['DispVM']),
  guivm: of('vm'),
  include_in_backups: { kind: 'bool' },
  installed_by_rpm: of('bool'),
  ip: of('ip4'),
  ip6: of('ip6'),
  kernel: of('kernel'),
  kernelopts: of('kernelopts'),
  keyboard_layout: of('layout', LOCAL_VMS),
  label: { kind: 'label' },
  mac: of('mac'),
  management_dispvm: of('vm'),
  maxmem: of('not-negative'),
  memory: of('positive'),
  name: of('text', BUT_DOM0),
  netvm: of('vm'),
  provides_network: of('bool'),
  qid: of('qid', BUT_DOM0),
  qrexec_timeout: of('positive'),
  relayvm: of('vm', ['RemoteVM']),
  remote_name: of('text', ['RemoteVM']),
  shutdown_timeout: of('positive'),
  stubdom_mem: of('positive'),
  template: of('vm', ['AppVM', 'DispVM']),
  template_for_dispvms: of('bool', ['AppVM', 'StandaloneVM']),
  transport_rpc: of('text', ['RemoteVM']),
  uuid: of('uuid', BUT_DOM0),
  vcpus: of('positive'),
  virt_mode: of('virt-mode'),
};

const GLOBAL_PROPERTIES: Readonly<Record<string, PropertyKind>> = {
  check_updates_vm: 'bool',
  clockvm: 'vm',
  default_audiovm: 'vm',
  default_dispvm: 'vm',
  default_guivm: 'vm',
  default_kernel: 'text',
  default_netvm: 'vm',
  default_pool: 'pool',
  default_pool_kernel: 'pool',
  default_pool_private: 'pool',
  default_pool_root: 'pool',
  default_pool_volatile: 'pool',
  default_qrexec_timeout: 'int',
  default_shutdown_timeout: 'int',
  default_template: 'vm',
  management_dispvm: 'vm',
  stats_interval: 'int',
  updatevm: 'vm',
};

/** Set once, when a VM is made. */
const WRITE_ONCE: ReadonlySet<string> = new Set(['name', 'qid', 'uuid', 'dispid']);

export const isWriteOnce = (name: string): boolean => WRITE_ONCE.has(name);

/** The kind of a property of a class of VMs; null where the class has none of that name that can be set. */
export const vmProperty = (vmClass: VmClass, name: string): PropertyKind | null => {
  const property = Object.hasOwn(VM_PROPERTIES, name) ? VM_PROPERTIES[name] : undefined;
  return property && (property.only ?? [vmClass]).includes(vmClass) ? property.kind : null;
};

export const globalProperty = (name: string): PropertyKind | null =>
  Object.hasOwn(GLOBAL_PROPERTIES, name) ? (GLOBAL_PROPERTIES[name] ?? null) : null;

export const vmPropertyNames = (vmClass: VmClass): readonly string[] =>
  Object.keys(VM_PROPERTIES).filter((name) => vmProperty(vmClass, name) !== null);

/** Global properties that stock's loader knows and refuses in a document; any other unknown one it drops. */
export const FORBIDDEN_GLOBALS: ReadonlySet<string> = new Set(['maxmem', 'no_cpus']);

/** Loaded after all VMs and the global properties are there, and saved behind all others. */
export const LATE_PROPERTIES: ReadonlySet<string> = new Set([
  'appvm_default_bootmode',
  'audiovm',
  'bootmode',
  'default_dispvm',
  'guivm',
  'kernelopts',
  'management_dispvm',
  'netvm',
  'relayvm',
  'template',
]);
