import type { Host } from '../host/host.ts';
import { addressOf, hasIpv6 } from '../network/addresses.ts';
import { netvmOf, providesNetwork } from '../network/network.ts';
import type { Vm } from '../vm/vm.ts';
import { extensionKeys } from './extension-keys.ts';
import { featureWithTemplate, propertyWithTemplate } from './features.ts';
import { fits, type KeyChange, put } from './key-change.ts';
import type { Surroundings } from './surroundings.ts';

const NO_NETMASK = '255.255.255.255';
const PRIMARY_DNS = '10.139.1.1';
const SECONDARY_DNS = '10.139.1.2';

/** What a VM is told instead of its address, where somebody set it. */
export const visibleAddress = (host: Host, vm: Vm): string | null => {
  const address = addressOf(host, vm, 4);
  return address === null ? null : vm.features['net.fake-ip'] || address;
};

export const visibleGateway = (host: Host, vm: Vm): string | null => {
  const netvm = netvmOf(host, vm);
  return vm.features['net.fake-gateway'] || (netvm && addressOf(host, netvm, 4));
};

const gateway6 = (host: Host, vm: Vm): string | null => (hasIpv6(host, vm) ? addressOf(host, vm, 6) : null);

const asProvider = (host: Host, vm: Vm): readonly KeyChange[] => {
  if (!providesNetwork(vm)) return [];
  const own = addressOf(host, vm, 4);
  return [
    ...put('/qubes-netvm-network', own),
    ...put('/qubes-netvm-gateway', own),
    ...put('/qubes-netvm-gateway6', gateway6(host, vm)),
    ...put('/qubes-netvm-netmask', NO_NETMASK),
    ...put('/qubes-netvm-primary-dns', PRIMARY_DNS),
    ...put('/qubes-netvm-secondary-dns', SECONDARY_DNS),
  ];
};

const asClient = (host: Host, vm: Vm): readonly KeyChange[] => {
  const netvm = netvmOf(host, vm);
  if (!netvm) return [];
  return [
    ...put('/qubes-mac', vm.properties['mac'] ?? '00:16:3e:5e:6c:00'),
    ...put('/qubes-ip', visibleAddress(host, vm)),
    ...put('/qubes-netmask', vm.features['net.fake-netmask'] || NO_NETMASK),
    ...put('/qubes-gateway', visibleGateway(host, vm)),
    ...put('/qubes-primary-dns', PRIMARY_DNS),
    ...put('/qubes-secondary-dns', SECONDARY_DNS),
    ...put('/qubes-ip6', addressOf(host, vm, 6)),
    ...put('/qubes-gateway6', hasIpv6(host, vm) ? gateway6(host, netvm) : null),
  ];
};

const ownsItsRoot = (vm: Vm): boolean => vm.class === 'TemplateVM' || vm.class === 'StandaloneVM';

const asItself = (host: Host, vm: Vm): readonly KeyChange[] => [
  ...put('/name', vm.name),
  ...put('/type', vm.class),
  ...put('/default-user', propertyWithTemplate(host, vm, 'default_user') ?? 'user'),
  ...put('/qubes-vm-updateable', ownsItsRoot(vm) ? 'True' : 'False'),
  ...put('/qubes-vm-persistence', ownsItsRoot(vm) ? 'full' : 'rw-only'),
  ...put('/qubes-debug-mode', vm.properties['debug'] === 'True' ? '1' : '0'),
  ...put('/qubes-base-template', vm.properties['template'] ?? ''),
  { write: '/qubes-random-seed', value: { from: 'random' } },
];

const timezone = (host: Host, vm: Vm, around: Surroundings): readonly KeyChange[] =>
  featureWithTemplate(host, vm, 'anon-timezone')
    ? [{ remove: '/qubes-timezone' }]
    : put('/qubes-timezone', around.timezone);

/** What stock's core writes into a VM's own QubesDB at its start, in its order (spec: B.10). */
export const coreKeys = (host: Host, vm: Vm, around: Surroundings): readonly KeyChange[] => [
  ...asItself(host, vm),
  ...asProvider(host, vm),
  ...asClient(host, vm),
  ...timezone(host, vm, around),
  ...put('/qubes-block-devices', ''),
  ...put('/qubes-usb-devices', ''),
];

/**
 * Everything a VM finds in its own QubesDB at its start, but for what concerns its clients. Features whose name or value
 * QubesDB cannot hold are left out.
 */
export const startKeys = (host: Host, vm: Vm, around: Surroundings): readonly KeyChange[] =>
  [...coreKeys(host, vm, around), ...extensionKeys(host, vm, around)].filter(fits);
