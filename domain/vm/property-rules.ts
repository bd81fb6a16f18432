import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { err, ok, type Result } from '../result.ts';
import type { Vm, VmClass } from './vm.ts';

type Kind = 'bool' | 'int' | 'text' | 'label' | 'vm' | 'pool';

/** Properties of qubes-core-admin that may be set on a VM; a class list where not every class has it. */
const VM_PROPERTIES: Readonly<Record<string, { readonly kind: Kind; readonly only?: readonly VmClass[] }>> = {
  appvm_default_bootmode: { kind: 'text', only: ['TemplateVM'] },
  audiovm: { kind: 'vm' },
  auto_cleanup: { kind: 'bool', only: ['DispVM'] },
  autostart: { kind: 'bool' },
  backup_timestamp: { kind: 'int' },
  bootmode: { kind: 'text' },
  debug: { kind: 'bool' },
  default_dispvm: { kind: 'vm' },
  default_user: { kind: 'text' },
  devices_denied: { kind: 'text' },
  guivm: { kind: 'vm' },
  include_in_backups: { kind: 'bool' },
  installed_by_rpm: { kind: 'bool' },
  ip: { kind: 'text' },
  ip6: { kind: 'text' },
  kernel: { kind: 'text' },
  kernelopts: { kind: 'text' },
  keyboard_layout: { kind: 'text' },
  label: { kind: 'label' },
  mac: { kind: 'text' },
  management_dispvm: { kind: 'vm' },
  maxmem: { kind: 'int' },
  memory: { kind: 'int' },
  netvm: { kind: 'vm' },
  provides_network: { kind: 'bool' },
  qrexec_timeout: { kind: 'int' },
  shutdown_timeout: { kind: 'int' },
  stubdom_mem: { kind: 'int' },
  template: { kind: 'vm', only: ['AppVM', 'DispVM'] },
  template_for_dispvms: { kind: 'bool', only: ['AppVM', 'StandaloneVM'] },
  vcpus: { kind: 'int' },
  virt_mode: { kind: 'text' },
};

const ADMIN_VM_PROPERTIES = new Set([
  'default_dispvm',
  'devices_denied',
  'include_in_backups',
  'keyboard_layout',
  'label',
]);

const GLOBAL_PROPERTIES: Readonly<Record<string, Kind>> = {
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

const invalid = (name: string, rule: string): Result<never, Failure> =>
  err(failure('D_PROPERTY_INVALID', `${name} ${rule}`));

const BOOLS: Readonly<Record<string, string>> = {
  '0': 'False',
  no: 'False',
  false: 'False',
  off: 'False',
  '1': 'True',
  yes: 'True',
  true: 'True',
  on: 'True',
};

const boolean = (name: string, value: string): Result<string, Failure> => {
  const word = value.toLowerCase();
  const text = Object.hasOwn(BOOLS, word) ? BOOLS[word] : undefined;
  return text ? ok(text) : invalid(name, 'takes True or False');
};

const whole = (name: string, value: string): Result<string, Failure> =>
  /^[0-9]{1,12}$/.test(value) && (Number(value) > 0 || name === 'maxmem' || name === 'backup_timestamp')
    ? ok(`${Number(value)}`)
    : invalid(name, 'takes a whole number above 0');

const TEXT_RULES: Readonly<Record<string, { readonly like: RegExp; readonly rule: string }>> = {
  mac: { like: /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, rule: 'takes an address like 00:16:3e:5e:6c:00' },
  virt_mode: { like: /^(hvm|pv|pvh)$/, rule: 'takes hvm, pv or pvh' },
  kernel: { like: /^(?!\.{1,2}$)[^/]{0,255}$/, rule: 'takes the name of a kernel, without "/"' },
  default_kernel: { like: /^(?!\.{1,2}$)[^/]{0,255}$/, rule: 'takes the name of a kernel, without "/"' },
  kernelopts: { like: /^.{0,512}$/, rule: 'takes at most 512 characters' },
  default_user: { like: /^[A-Za-z0-9_+,.-]+$/, rule: 'takes a user name' },
  keyboard_layout: { like: /^[^+]*\+[^+]*\+[^+]*$/, rule: 'takes layout+variant+options' },
};

const text = (name: string, value: string): Result<string, Failure> => {
  const rule = TEXT_RULES[name];
  return rule && !rule.like.test(value) ? invalid(name, rule.rule) : ok(value);
};

const NEEDS: Readonly<Record<string, { readonly is: (vm: Vm) => boolean; readonly rule: string }>> = {
  netvm: { is: (vm) => vm.properties['provides_network'] === 'True', rule: 'does not provide network' },
  default_netvm: { is: (vm) => vm.properties['provides_network'] === 'True', rule: 'does not provide network' },
  default_template: { is: (vm) => vm.class === 'TemplateVM', rule: 'is not a TemplateVM' },
  default_dispvm: {
    is: (vm) => vm.properties['template_for_dispvms'] === 'True',
    rule: 'is no template for disposables',
  },
  management_dispvm: {
    is: (vm) => vm.properties['template_for_dispvms'] === 'True',
    rule: 'is no template for disposables',
  },
};

/** Checks that `value` may be the VM that property `name` refers to; the empty text is None. */
export const checkReference = (host: Host, name: string, value: string): Result<string, Failure> => {
  if (value === '') return name === 'template' ? invalid(name, 'cannot be empty') : ok('');
  const vm = host.vms.get(value as VmName);
  if (!vm) return err(failure('D_REFERENCE_INVALID', `${name}: there is no VM ${value}`, { next: 'domtrail vm list' }));
  const need = NEEDS[name];
  return need && !need.is(vm) ? err(failure('D_REFERENCE_INVALID', `${name}: VM ${value} ${need.rule}`)) : ok(value);
};

const byKind = (host: Host, kind: Kind, name: string, value: string): Result<string, Failure> => {
  switch (kind) {
    case 'bool':
      return boolean(name, value);
    case 'int':
      return whole(name, value);
    case 'text':
      return text(name, value);
    case 'label':
      return host.site?.labels.some((label) => label.name === value)
        ? ok(value)
        : invalid(
            name,
            `has no ${JSON.stringify(value)} (labels: ${host.site?.labels.map((one) => one.name).join(', ')})`,
          );
    case 'vm':
      return checkReference(host, name, value);
    case 'pool':
      return host.pools.has(value as never) ? ok(value) : err(failure('D_NOT_FOUND', `there is no pool ${value}`));
  }
};

/** The text under which qubes.xml saves a value of a VM's property, or why it cannot be one. */
export const checkVmProperty = (
  host: Host,
  vm: Vm,
  name: string,
  value: string | null,
): Result<string | null, Failure> => {
  const property = Object.hasOwn(VM_PROPERTIES, name) ? VM_PROPERTIES[name] : undefined;
  const has =
    property &&
    (vm.class === 'AdminVM' ? ADMIN_VM_PROPERTIES.has(name) : (property.only ?? [vm.class]).includes(vm.class));
  if (!property || !has) return invalid(name, `is not a property that can be set on ${vm.name} (${vm.class})`);
  if (value !== null) return byKind(host, property.kind, name, value);
  return name === 'template' ? invalid(name, 'cannot be unset') : ok(null);
};

export const checkGlobalProperty = (host: Host, name: string, value: string | null): Result<string | null, Failure> => {
  const kind = Object.hasOwn(GLOBAL_PROPERTIES, name) ? GLOBAL_PROPERTIES[name] : undefined;
  if (!kind) return invalid(name, 'is not a global property');
  return value === null ? ok(null) : byKind(host, kind, name, value);
};
