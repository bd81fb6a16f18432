import type { Hold } from '../command/events.ts';
import type { Context } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdName } from '../holds.ts';
import type { Host } from '../host/host.ts';
import type { VmName } from '../names.ts';
import { err, ok, type Result } from '../result.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import type { Vm } from './vm.ts';

/** qubes-core-admin refuses to load a higher qid. */
const MAX_QID = 10_000;

export const freeQid = (host: Host): number => {
  const taken = new Set([...host.vms.values()].map((vm) => Number(vm.properties['qid'] ?? 0)));
  let qid = 1;
  while (taken.has(qid)) qid++;
  return qid;
};

/** Four digits, like stock's; from the command's uuid, so that deciding again gives the same. */
const dispId = (host: Host, uuid: string): number => {
  const taken = new Set([...host.vms.values()].map((vm) => vm.properties['dispid']));
  let id = Number.parseInt(uuid.replaceAll('-', '').slice(0, 8), 16) % 10_000;
  while (taken.has(`${id}`)) id = (id + 1) % 10_000;
  return id;
};

export const mustBeFree = (host: Host, name: VmName): Result<null, Failure> => {
  if (host.vms.has(name)) return err(failure('D_EXISTS', `there is a VM ${name} already`));
  return freeQid(host) > MAX_QID ? err(failure('D_IN_USE', `all ${MAX_QID} VM ids are taken`)) : ok(null);
};

/** The numbers a new VM gets. */
export const identity = (host: Host, { uuid }: Context, vmClass: Vm['class']): Readonly<Record<string, string>> => ({
  qid: `${freeQid(host)}`,
  uuid,
  ...(vmClass === 'DispVM' ? { dispid: `${dispId(host, uuid)}` } : {}),
});

/** A name that does not exist yet, and the volumes it will have. */
export const holdNew = (name: VmName, specs: readonly VolumeSpec[]): readonly Hold[] => [
  holdName(name),
  ...specs.map((spec) => holdName(spec.key)),
];
