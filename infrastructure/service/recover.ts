import { unwritten } from '../../domain/backup/interrupted.ts';
import type { Operation } from '../../domain/command/operation.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { lastBoot } from '../ledger/last-boot.ts';
import { bootId, processLives, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { mendPools, waits } from '../runner/mend-pools.ts';
import { type Recovered, recoverAll } from '../runner/recover.ts';
import { noteAs, runAsSystem } from './as-system.ts';
import { expireRules, republish } from './keep-firewalls.ts';
import { handsFor, type Service } from './service.ts';

const someVmDied = (service: Service, boot: string): boolean =>
  [...currentHost(service.ledger).vms.values()].some(({ power }) => power.is === 'running' && power.bootId !== boot);

/** VMs that ran under another boot of the host are halted now; their sessions wait for somebody to decide. */
const recordReboot = async (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const boot = bootId();
  if (!someVmDied(service, boot)) return ok([]);
  const command = { name: 'RecordReboot', payload: { bootId: boot } } as const;
  const one = await runAsSystem(service, { command, reason: 'the host has another boot id', fault });
  return one.ok ? ok([one.value]) : one;
};

export type HowToRecover = {
  readonly fault: Fault;
  /** also commands that stopped at an error, not only those whose process died */
  readonly failedToo: boolean;
  /** whether a backup that its process left behind is ended, too, or waits for `backup resume` */
  readonly backupsToo: boolean;
  /** whether LVM's description of a volume group may be written anew: a person has to agree to that */
  readonly rewrites: boolean;
};

/** `barred`: pools that cannot be worked in, and why; what is unfinished there waits. */
export type HostRecovered = {
  readonly recovered: readonly Recovered[];
  readonly barred: ReadonlyMap<string, Failure>;
};

/**
 * Nothing tells of a crash more surely: another boot than the last command's, or a command that is not over. A backup that
 * was being written has done nothing in a pool since its last record.
 */
const endedUncleanly = ({ ledger }: Service): boolean =>
  [...currentHost(ledger).operations.values()].some((operation) => !unwritten(operation)) ||
  lastBoot(ledger) !== bootId();

const mend = async (service: Service, { failedToo, rewrites }: HowToRecover) => {
  if (!failedToo && !endedUncleanly(service)) return { mended: [], barred: new Map<string, Failure>() };
  const names = [...currentHost(service.ledger).pools.keys()];
  const note = noteAs(service, 'a pool was examined after an unclean end');
  return mendPools(names, { pools: service.pools, note, rewrites });
};

/** What time and a lost QubesDB have done to firewalls. Looking into every QubesDB takes long, so only who asks to recover does. */
const keepFirewalls = async (service: Service, { fault, failedToo }: HowToRecover) => {
  const expired = await expireRules(service, fault);
  if (!expired.ok || !failedToo) return expired;
  const again = await republish(service, fault);
  return again.ok ? ok([...expired.value, ...again.value]) : again;
};

/**
 * Ends what is unfinished, takes note of a reboot and takes out rules that have expired. The caller holds the lease. Runs
 * before every changing command, and as `recover`.
 */
export const recoverHost = async (service: Service, how: HowToRecover): Promise<Result<HostRecovered, Failure>> => {
  // A crash between writing qubes.xml and remembering it shows only while the state is still the one that was written:
  // one event later the file would look like somebody else's. What cannot be written is told when the command is done.
  service.publish();
  const us = thisProcess();
  // Before the first step anywhere: LVM would carry out what a crash left waiting, with the contents of now.
  const { mended, barred } = await mend(service, how);
  const wanted = (operation: Operation): boolean => {
    if (waits(operation, barred)) return false;
    if (!how.backupsToo && unwritten(operation)) return false;
    const { course } = operation;
    return how.failedToo || course.is === 'forward' || (course.is === 'undoing' && !course.failure);
  };
  const lives: typeof processLives = (owner) => processLives(owner) && owner.pid !== us.pid;
  const hands = handsFor(service, 'recover', how.fault);
  const recovery = { journal: service.journal, hands, owner: us, lives };
  const recovered = await recoverAll(recovery, wanted);
  if (!recovered.ok) return recovered;
  // A VM of a barred pool keeps running in the log until its disks can be seen again.
  const reboot = barred.size > 0 ? ok([]) : await recordReboot(service, how.fault);
  if (!reboot.ok) return reboot;
  const firewalls = await keepFirewalls(service, how);
  return firewalls.ok
    ? ok({ recovered: [...mended, ...recovered.value, ...reboot.value, ...firewalls.value], barred })
    : firewalls;
};
