import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';

const VM_REFERENCES = ['template', 'netvm', 'default_dispvm', 'management_dispvm', 'guivm', 'audiovm'];
const GLOBAL_REFERENCES = [
  'clockvm', 'default_audiovm', 'default_dispvm', 'default_guivm', 'default_netvm', 'default_template',
  'management_dispvm', 'updatevm',
];

/** Who would point into nothing without this VM, as `work.template` or `global default_netvm`. */
export const referencesTo = (host: Host, name: VmName): readonly string[] => {
  const found: string[] = [];
  for (const vm of host.vms.values()) {
    if (vm.name === name) continue;
    for (const property of VM_REFERENCES) if (vm.properties[property] === name) found.push(`${property} of ${vm.name}`);
    for (const { spec } of Object.values(vm.volumes)) {
      if (spec.source?.startsWith(`${name}:`)) found.push(`source of ${spec.key}`);
    }
  }
  for (const property of GLOBAL_REFERENCES) {
    if (host.site?.properties[property] === name) found.push(`global ${property}`);
  }
  return found;
};
