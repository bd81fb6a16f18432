import { randomUUID } from 'node:crypto';
import { type Command, decide } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { liveLines } from '../../domain/firewall/firewall.ts';
import type { VmName } from '../../domain/names.ts';
import { runs } from '../../domain/network/network.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Vm } from '../../domain/vm/vm.ts';
import type { Fault } from '../fault.ts';
import { bootId } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import type { Recovered } from '../runner/recover.ts';
import { runAsSystem } from './as-system.ts';
import { type Published, publishedIn } from './published.ts';
import type { Service } from './service.ts';

/** Whether a rule has expired and is still in the list. `now` in epoch milliseconds. */
export const hasExpired = ({ firewall }: Vm, now: number): boolean =>
  firewall !== null && liveLines(firewall.rules, now).length < firewall.rules.length;

/** Whether an unfinished command holds what this one needs; `recover` tells of that one. */
const isInTheWay = (service: Service, command: Command): boolean => {
  const host = currentHost(service.ledger);
  const context = { now: service.now(), position: host.position + 1, bootId: bootId(), uuid: randomUUID(), open: [] };
  const decision = decide(host, command, context);
  return !decision.ok && decision.error.code === 'D_BUSY';
};

type Chore = {
  readonly vms: readonly VmName[];
  readonly name: 'ExpireRule' | 'ReloadFirewall' | 'RewriteKeys';
  readonly reason: string;
};

const each = async (
  service: Service,
  { vms, name, reason }: Chore,
  fault: Fault,
): Promise<Result<readonly Recovered[], Failure>> => {
  const done: Recovered[] = [];
  for (const vm of vms) {
    const command: Command = { name, payload: { vm } };
    if (isInTheWay(service, command)) continue;
    const one = await runAsSystem(service, { command, reason, fault });
    if (!one.ok) return one;
    done.push({ ...one.value, told: [`${vm}: ${reason}`] });
  }
  return ok(done);
};

/** Takes out every rule whose time has come, in the order of VMs' names. The caller holds the lease. */
export const expireRules = (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const now = service.now();
  const vms = [...currentHost(service.ledger).vms.values()].filter((vm) => hasExpired(vm, now)).map(({ name }) => name);
  return each(service, { vms: vms.sort(), name: 'ExpireRule', reason: 'a rule has expired' }, fault);
};

const isLost = ({ found, wanted }: Published): boolean => found.size === 0 && wanted.size > 0;

/** Running VMs whose QubesDB has not even their name: what every start writes first. */
const forgotten = async ({ ledger, qubesDb }: Service): Promise<readonly VmName[]> => {
  const vms: VmName[] = [];
  for (const vm of currentHost(ledger).vms.values()) {
    if (vm.class === 'AdminVM' || !runs(vm)) continue;
    const name = await qubesDb.read(vm.name, '/name');
    // A daemon that does not answer is told by fsck; there is nothing to write to.
    if (name.ok && name.value.size === 0) vms.push(vm.name);
  }
  return vms;
};

/**
 * Writes again what is gone altogether: a daemon that was started again begins with nothing. What is there but different is
 * somebody's doing, which `fsck` tells and nobody overwrites unasked.
 */
export const republish = async (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const vms = await forgotten(service);
  const written = await each(service, { vms, name: 'RewriteKeys', reason: 'its QubesDB was empty' }, fault);
  if (!written.ok) return written;
  const lost = new Set<VmName>();
  for await (const one of publishedIn(currentHost(service.ledger), { db: service.qubesDb, now: service.now() })) {
    if (one.ok && isLost(one.value)) lost.add(one.value.vm.name);
  }
  const reason = 'its netvm had nothing of its rules';
  const again = await each(service, { vms: [...lost], name: 'ReloadFirewall', reason }, fault);
  return again.ok ? ok([...written.value, ...again.value]) : again;
};
