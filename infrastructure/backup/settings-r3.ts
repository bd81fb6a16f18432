import type { Element } from './elements.ts';
import type { Settings } from './settings.ts';

/** Names by the qid that Qubes 3 refers with. */
export type NamesByQid = ReadonlyMap<string, string>;

type Attributes = Element['attributes'];

/** Attributes of Qubes 3 that are properties of the same meaning today. */
const SAME = ['memory', 'maxmem', 'vcpus', 'default_user', 'mac', 'autostart', 'include_in_backups', 'debug'] as const;

const SERVICES: Readonly<Record<string, string>> = {
  ntpd: 'service.ntpd',
  'qubes-update-check': 'check-updates',
  'meminfo-writer': 'service.meminfo-writer',
};

/** `{'cups': True, 'x': False}`: Python's way to write what is on and off. */
const featuresOf = (services: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(services.matchAll(/'([^']{1,100})': (True|False)/g), ([, name = '', on]) => [
      SERVICES[name] ?? name,
      on === 'True' ? '1' : '',
    ]),
  );

const networkOf = (tag: string, attributes: Attributes, names: NamesByQid): Readonly<Record<string, string>> => {
  const provides: Readonly<Record<string, string>> =
    tag === 'QubesNetVm' || tag === 'QubesProxyVm' ? { provides_network: 'True' } : {};
  if (tag === 'QubesNetVm') return { ...provides, netvm: '' };
  if (attributes['uses_default_netvm'] !== 'False') return provides;
  const netvm = attributes['netvm_qid'] ?? 'none';
  return { ...provides, netvm: netvm === 'none' ? '' : (names.get(netvm) ?? '') };
};

const kernelOf = (tag: string, attributes: Attributes): Readonly<Record<string, string>> => {
  if (tag === 'QubesHVm' || tag === 'QubesTemplateHVm') return { virt_mode: 'hvm', kernel: '' };
  const { kernel, uses_default_kernel: isDefault } = attributes;
  return isDefault === 'False' && kernel !== undefined && kernel !== 'None' ? { kernel } : {};
};

const leftOf = ({ pcidevs, uses_default_dispvm_netvm: isDefault }: Attributes): readonly string[] => [
  ...(pcidevs !== undefined && pcidevs !== '[]' && pcidevs !== '' ? [`PCI devices ${pcidevs}`] : []),
  ...(isDefault === 'False' ? ['a netvm of its own for disposables'] : []),
];

/** The settings of a domain of Qubes 3 in today's words (spec: backup-format 5). */
export const settingsOfR3 = ({ tag, attributes }: Element, names: NamesByQid): Settings => {
  const template = attributes['template_qid'] ?? 'none';
  const hvm = tag === 'QubesHVm' || tag === 'QubesTemplateHVm';
  return {
    template: template === 'none' ? null : (names.get(template) ?? null),
    label: attributes['label'] ?? null,
    properties: {
      ...Object.fromEntries(SAME.flatMap((name) => (attributes[name] === undefined ? [] : [[name, attributes[name]]]))),
      ...kernelOf(tag, attributes),
      ...networkOf(tag, attributes, names),
    },
    features: { ...featuresOf(attributes['services'] ?? ''), ...(hvm ? { 'linux-stubdom': '' } : {}) },
    tags: [],
    left: leftOf(attributes),
  };
};
