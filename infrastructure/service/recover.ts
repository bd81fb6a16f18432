import { randomUUID } from 'node:crypto';
import type { Operation } from '../../domain/command/operation.ts';
import { decide } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { type Actor, accept } from '../ledger/accept.ts';
import { bootId, processLives, thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
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

/** VMs that ran under another boot of the host are halted now; their sessions wait for somebody to decide. */
const recordReboot = async (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const boot = bootId();
  if (!someVmDied(service, boot)) return ok([]);
  const command = { name: 'RecordReboot', payload: { bootId: boot } } as const;
  const now = Date.now();
  const id = randomUUID();
  const context = { now, bootId: boot, uuid: randomUUID(), open: [] };
  const envelope = {
    id,
    name: command.name,
    schemaVersion: 1,
    payload: command.payload,
    actor: systemActor(),
    reason: 'the host has another boot id',
    context,
    receivedAt: now,
    owner: thisProcess(),
  };
  const accepted = accept(service.ledger, {
    envelope,
    decide: (host, position) => decide(host, command, { ...context, position }),
  });
  if (!accepted.ok) return accepted;
  const open = currentHost(service.ledger).operations.has(id);
  const base = { command: id, name: command.name, resumedFrom: 1, steps: [] };
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
};

/**
 * Ends what is unfinished and takes note of a reboot. The caller holds the lease. Runs before every changing command, and
 * as `recover`.
 */
export const recoverHost = async (
  service: Service,
  { fault, failedToo }: HowToRecover,
): Promise<Result<readonly Recovered[], Failure>> => {
  // A crash between writing qubes.xml and remembering it shows only while the state is still the one that was written:
  // one event later the file would look like somebody else's. What cannot be written is told when the command is done.
  service.publish();
  const us = thisProcess();
  const wanted = ({ course }: Operation): boolean =>
    failedToo || course.is === 'forward' || (course.is === 'undoing' && !course.failure);
  const lives: typeof processLives = (owner) => processLives(owner) && owner.pid !== us.pid;
  const hands = handsFor(service, 'recover', fault);
  const recovery = { journal: service.journal, hands, owner: us, lives };
  const recovered = await recoverAll(recovery, wanted);
  if (!recovered.ok) return recovered;
  const reboot = await recordReboot(service, fault);
  return reboot.ok ? ok([...recovered.value, ...reboot.value]) : reboot;
};
