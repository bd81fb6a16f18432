import { type Failure, failure } from '../failure.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { err, ok, type Result } from '../result.ts';
import { globalProperty, isWriteOnce, type PropertyKind, vmProperty, vmPropertyNames } from './property-table.ts';
import { ENCODERS, parseWhole } from './property-values.ts';
import type { Vm } from './vm.ts';

const invalid = (name: string, rule: string): Result<never, Failure> =>
  err(failure('D_PROPERTY_INVALID', `${name} ${rule}`));

/** Stock would look for the kernel right there, in a directory that is none of a kernel. */
const isWayUp = (value: string | null): boolean => value === '.' || value === '..';

type Need = { readonly is: (vm: Vm) => boolean; readonly rule: string };

const DISPOSABLES: Need = {
  is: (vm) => vm.properties['template_for_dispvms'] === 'True',
  rule: 'is no template for disposables (template_for_dispvms)',
};

const NEEDS: Readonly<Record<string, Need>> = {
  netvm: { is: (vm) => vm.properties['provides_network'] === 'True', rule: 'does not provide network' },
  default_dispvm: DISPOSABLES,
  management_dispvm: DISPOSABLES,
  default_template: { is: (vm) => vm.class === 'TemplateVM', rule: 'is no TemplateVM' },
};

const templateNeed = (of: Vm | null): Need | undefined =>
  of?.class === 'DispVM' ? DISPOSABLES : { is: (vm) => vm.class === 'TemplateVM', rule: 'is no TemplateVM' };

/** Checks that `value` may be the VM that property `name` refers to; the empty text is None. `of`: the VM with the property. */
export const checkReference = (
  host: Host,
  name: string,
  value: string,
  of: Vm | null = null,
): Result<string, Failure> => {
  if (value === '') return name === 'template' ? invalid(name, 'cannot be empty') : ok('');
  const vm = host.vms.get(value as VmName);
  if (!vm) return err(failure('D_REFERENCE_INVALID', `${name}: there is no VM ${value}`, { next: 'domtrail vm list' }));
  if (vm.class === 'RemoteVM') return err(failure('D_REFERENCE_INVALID', `${name}: VM ${value} is a RemoteVM`));
  const need = name === 'template' ? templateNeed(of) : NEEDS[name];
  return need && !need.is(vm) ? err(failure('D_REFERENCE_INVALID', `${name}: VM ${value} ${need.rule}`)) : ok(value);
};

/** Stock finds a label by its name, by its number, and as `label-N`. */
const labelNamed = (host: Host, name: string, value: string | null): Result<string, Failure> => {
  const labels = host.site?.labels ?? [];
  const byNumber = value?.startsWith('label-') ? parseWhole(value.slice('label-'.length)) : null;
  const found =
    byNumber === null
      ? (labels.find((label) => label.name === value) ?? labels.find(({ index }) => index === parseWhole(value ?? '')))
      : labels.find(({ index }) => index === byNumber);
  if (found) return ok(found.name);
  return invalid(name, `has no ${JSON.stringify(value)} (labels: ${labels.map((one) => one.name).join(', ')})`);
};

type Setting = { readonly host: Host; readonly of: Vm | null; readonly name: string };

const byKind = ({ host, of, name }: Setting, kind: PropertyKind, value: string | null): Result<string, Failure> => {
  switch (kind) {
    case 'label':
      return labelNamed(host, name, value);
    case 'vm':
      return checkReference(host, name, value ?? '', of);
    case 'pool':
      return host.pools.has(value as never)
        ? ok(value ?? '')
        : err(failure('D_NOT_FOUND', `${name}: there is no pool ${value ?? ''}`, { next: 'domtrail pool list' }));
    default: {
      const encoded = ENCODERS[kind](value);
      return 'text' in encoded ? ok(encoded.text) : invalid(name, encoded.rule);
    }
  }
};

const hasPci = (vm: Vm): boolean => (vm.devices?.['pci'] ?? []).length > 0;

/**
 * The text under which qubes.xml saves a value of a VM's property, or why it cannot be one: the rules that hold when a
 * document is loaded and when a command sets it. A null is an empty element.
 */
export const encodeVmProperty = (host: Host, vm: Vm, name: string, value: string | null): Result<string, Failure> => {
  const kind = vmProperty(vm.class, name);
  if (!kind) return invalid(name, `is not a property of ${vm.name} that can be set (${vm.class})`);
  const text = byKind({ host, of: vm, name }, kind, value);
  if (text.ok && name === 'virt_mode' && text.value === 'pvh' && hasPci(vm)) {
    return invalid(name, 'cannot be pvh while PCI devices are assigned');
  }
  return text;
};

export const encodeGlobalProperty = (host: Host, name: string, value: string | null): Result<string, Failure> => {
  const kind = globalProperty(name);
  return kind ? byKind({ host, of: null, name }, kind, value) : invalid(name, 'is not a global property');
};

const NEVER_UNSET: ReadonlySet<string> = new Set(['template', 'label']);

/** A command's value for a VM's property; null means back to the default. */
export const checkVmProperty = (
  host: Host,
  vm: Vm,
  name: string,
  value: string | null,
): Result<string | null, Failure> => {
  if (isWriteOnce(name) && vmProperty(vm.class, name)) return invalid(name, 'is set once, when a VM is made');
  if (name === 'kernel' && isWayUp(value)) return invalid(name, 'cannot be "." or ".."');
  if (value !== null) return encodeVmProperty(host, vm, name, value);
  if (!vmProperty(vm.class, name)) {
    const next = `domtrail vm prefs ${vm.name}   (${vmPropertyNames(vm.class).length} properties can be set)`;
    return err(failure('D_PROPERTY_INVALID', `${name} is not a property of ${vm.name} (${vm.class})`, { next }));
  }
  return NEVER_UNSET.has(name) ? invalid(name, 'cannot be unset') : ok(null);
};

export const checkGlobalProperty = (host: Host, name: string, value: string | null): Result<string | null, Failure> => {
  if (name === 'default_kernel' && isWayUp(value)) return invalid(name, 'cannot be "." or ".."');
  if (value !== null) return encodeGlobalProperty(host, name, value);
  return globalProperty(name) ? ok(null) : invalid(name, 'is not a global property');
};
