import { randomUUID } from 'node:crypto';
import type { Json } from '../../domain/canonical-json.ts';
import type { Operation } from '../../domain/command/operation.ts';
import { type Command, decide } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { type Actor, accept } from '../ledger/accept.ts';
import { lastBoot } from '../ledger/last-boot.ts';
import { bootId, processLives, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { mendPools, waits } from '../runner/mend-pools.ts';
import { type Recovered, recoverAll } from '../runner/recover.ts';
import { runOperation } from '../runner/run.ts';
import { handsFor, type Service } from './service.ts';

const systemActor = (): Actor => ({
  user: 'domtrail',
  uid: process.getuid?.() ?? -1,
  loginUid: null,
  tty: null,
  tool: 'domtrail recovery',
  argv: [],
  source: null,
});

const someVmDied = (service: Service, boot: string): boolean =>
  [...currentHost(service.ledger).vms.values()].some(({ power }) => power.is === 'running' && power.bootId !== boot);

/** Stores a command that is over once it is stored, in the name of the system. */
const noteAs =
  (service: Service, reason: string) =>
  (command: Command): Result<string, Failure> => {
    const now = Date.now();
    const id = randomUUID();
    const context = { now, bootId: bootId(), uuid: randomUUID(), open: [] };
    const envelope = {
      id,
      name: command.name,
      schemaVersion: 1,
      payload: command.payload as Json,
      actor: systemActor(),
      reason,
      context,
      receivedAt: now,
      owner: thisProcess(),
    };
    const accepted = accept(service.ledger, {
      envelope,
      decide: (host, position) => decide(host, command, { ...context, position }),
    });
    return accepted.ok ? ok(id) : accepted;
  };

/** VMs that ran under another boot of the host are halted now; their sessions wait for somebody to decide. */
const recordReboot = async (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const boot = bootId();
  if (!someVmDied(service, boot)) return ok([]);
  const note = noteAs(service, 'the host has another boot id');
  const noted = note({ name: 'RecordReboot', payload: { bootId: boot } });
  if (!noted.ok) return noted;
  const id = noted.value;
  const open = currentHost(service.ledger).operations.has(id);
  const base = { command: id, name: 'RecordReboot', resumedFrom: 1, steps: [] };
  if (!open) return ok([{ ...base, outcome: 'completed', failure: null }]);
  const ended = await runOperation({ command: id, journal: service.journal, hands: handsFor(service, id, fault) });
  if (!ended.ok) return ended;
  const failure = 'failure' in ended.value ? ended.value.failure : null;
  return ok([{ ...base, outcome: ended.value.is === 'failed' ? 'stuck' : ended.value.is, failure }]);
};

export type HowToRecover = {
  readonly fault: Fault;
  /** also commands that stopped at an error, not only those whose process died */
  readonly failedToo: boolean;
  /** whether LVM's description of a volume group may be written anew: a person has to agree to that */
  readonly rewrites: boolean;
};

/** `barred`: pools that cannot be worked in, and why; what is unfinished there waits. */
export type HostRecovered = {
  readonly recovered: readonly Recovered[];
  readonly barred: ReadonlyMap<string, Failure>;
};

/** Nothing tells of a crash more surely: another boot than the last command's, or a command that is not over. */
const endedUncleanly = ({ ledger }: Service): boolean =>
  currentHost(ledger).operations.size > 0 || lastBoot(ledger) !== bootId();

const mend = async (service: Service, { failedToo, rewrites }: HowToRecover) => {
  if (!failedToo && !endedUncleanly(service)) return { mended: [], barred: new Map<string, Failure>() };
  const names = [...currentHost(service.ledger).pools.keys()];
  const note = noteAs(service, 'a pool was examined after an unclean end');
  return mendPools(names, { pools: service.pools, note, rewrites });
};

/**
 * Ends what is unfinished and takes note of a reboot. The caller holds the lease. Runs before every changing command, and
 * as `recover`.
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
  return reboot.ok ? ok({ recovered: [...mended, ...recovered.value, ...reboot.value], barred }) : reboot;
};
