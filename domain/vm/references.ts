import { type Host, volumeOf } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { type Vm, volumesOf } from './vm.ts';

const VM_REFERENCES = ['template', 'netvm', 'default_dispvm', 'management_dispvm', 'guivm', 'audiovm', 'relayvm'];
const GLOBAL_REFERENCES = [
  'clockvm',
  'default_audiovm',
  'default_dispvm',
  'default_guivm',
  'default_netvm',
  'default_template',
  'management_dispvm',
  'updatevm',
];

const ofVm = (vm: Vm, name: VmName): readonly string[] => [
  ...VM_REFERENCES.filter((property) => vm.properties[property] === name).map(
    (property) => `${property} of ${vm.name}`,
  ),
  ...Object.entries(vm.devices ?? {}).flatMap(([deviceClass, list]) =>
    list.some(({ backend }) => backend === name) ? [`${deviceClass} device of ${vm.name}`] : [],
  ),
  ...volumesOf(vm)
    .filter(({ spec }) => spec.source?.startsWith(`${name}:`))
    .map(({ spec }) => `source of ${spec.key}`),
];

/** Who would point into nothing without this VM, as `template of work` or `global default_netvm`. */
export const referencesTo = (host: Host, name: VmName): readonly string[] => [
  ...[...host.vms.values()].filter((vm) => vm.name !== name).flatMap((vm) => ofVm(vm, name)),
  ...GLOBAL_REFERENCES.filter((property) => host.site?.properties[property] === name).map(
    (property) => `global ${property}`,
  ),
];

const NETWORKLESS: ReadonlySet<string> = new Set(['', 'none']);

const missing = (host: Host, properties: Readonly<Record<string, string>>, names: readonly string[]) =>
  names.filter((name) => {
    const target = properties[name] ?? '';
    return !NETWORKLESS.has(target) && !host.vms.has(target as VmName);
  });

const danglingOf = (host: Host, vm: Vm): readonly string[] => {
  const labels = new Set(host.site?.labels.map(({ name }) => name));
  const { label } = vm.properties;
  return [
    ...missing(host, vm.properties, VM_REFERENCES).map((name) => `${name} of ${vm.name}`),
    ...(label !== undefined && !labels.has(label) ? [`label ${label} of ${vm.name}`] : []),
    ...Object.entries(vm.devices ?? {}).flatMap(([deviceClass, list]) =>
      list.some(({ backend }) => backend !== null && !host.vms.has(backend as VmName))
        ? [`${deviceClass} device of ${vm.name}`]
        : [],
    ),
    ...volumesOf(vm)
      .filter(({ spec }) => spec.source !== null && !volumeOf(host, spec.source))
      .map(({ spec }) => `source of ${spec.key}`),
  ];
};

/** Everything that points into nothing, as `template of work`, `label pink of work` or `global default_netvm`. */
export const danglingIn = (host: Host): readonly string[] => [
  ...[...host.vms.values()].flatMap((vm) => danglingOf(host, vm)),
  ...missing(host, host.site?.properties ?? {}, GLOBAL_REFERENCES).map((name) => `global ${name}`),
];
