import type { Host } from '../host/host.ts';
import { addressOf } from '../network/addresses.ts';
import { clientsOf } from '../network/network.ts';
import type { Vm } from '../vm/vm.ts';
import { type KeyChange, put } from './key-change.ts';
import { visibleAddress, visibleGateway } from './start-keys.ts';

const visible = (host: Host, vm: Vm, family: 4 | 6): string | null =>
  family === 4 ? visibleAddress(host, vm) : addressOf(host, vm, 6);

/** The addresses a netvm lets through: those of all its clients, running or not, by name (spec: B.10). */
export const connectedKeys = (host: Host, netvm: Vm): readonly KeyChange[] => {
  const clients = clientsOf(host, netvm);
  const list = (family: 4 | 6): string => clients.flatMap((vm) => visible(host, vm, family) ?? []).join(' ');
  return [...put('/connected-ips', list(4)), ...put('/connected-ips6', list(6))];
};

/** What a client is told its address and gateway are, for the netvm to translate. */
export const mappedKeys = (host: Host, client: Vm): readonly KeyChange[] => {
  const address = addressOf(host, client, 4);
  if (address === null) return [];
  return [
    ...put(`/mapped-ip/${address}/visible-ip`, visibleAddress(host, client)),
    ...put(`/mapped-ip/${address}/visible-gateway`, visibleGateway(host, client)),
  ];
};
