import type { Operation } from '../../domain/command/operation.ts';
import { stepsOf } from '../../domain/decision.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { SERVE } from '../ledger/lease.ts';
import { thisProcess } from '../ledger/process-identity.ts';
import { currentHost } from '../ledger/state.ts';
import { type Recovered, recoverAll } from '../runner/recover.ts';
import { expireRules, republish } from './keep-firewalls.ts';
import { handsFor, type Service } from './service.ts';

/** Whether it stopped because a QubesDB did not answer. */
export const waitsForQubesDb = ({ course }: Operation): boolean =>
  course.is !== 'forward' && course.failure?.code === 'D_QUBESDB_UNREACHABLE';

/** The VMs whose QubesDB a command has to write to. */
const writesTo = ({ plan }: Operation): readonly string[] =>
  stepsOf(plan).flatMap(({ deed }) =>
    deed.do === 'publishFirewall' ? [deed.netvm] : deed.do === 'writeKeys' ? [deed.vm] : [],
  );

/** Only asks: a command that was taken up in vain would leave its traces in the log each time. */
const answers = async ({ qubesDb }: Service, operation: Operation): Promise<boolean> => {
  for (const vm of writesTo(operation)) if (!(await qubesDb.read(vm, '/name')).ok) return false;
  return true;
};

/**
 * Finishes what waited for a QubesDB that answers again, publishes what is lost there, and takes out what expired
 * meanwhile. The caller holds the lease.
 */
export const tendFirewalls = async (service: Service, fault: Fault): Promise<Result<readonly Recovered[], Failure>> => {
  const ready = new Set<string>();
  for (const operation of currentHost(service.ledger).operations.values()) {
    if (waitsForQubesDb(operation) && (await answers(service, operation))) ready.add(operation.command);
  }
  const hands = handsFor(service, SERVE, fault);
  const recovery = { journal: service.journal, hands, owner: thisProcess(), lives: () => false };
  const resumed = await recoverAll(recovery, ({ command }) => ready.has(command));
  if (!resumed.ok) return resumed;
  const again = await republish(service, fault);
  if (!again.ok) return again;
  const expired = await expireRules(service, fault);
  return expired.ok ? ok([...resumed.value, ...again.value, ...expired.value]) : expired;
};
