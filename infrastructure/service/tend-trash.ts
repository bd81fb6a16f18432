import { counted } from '../../domain/counted.ts';
import type { Command } from '../../domain/decide.ts';
import type { Failure } from '../../domain/failure.ts';
import { dueTrash } from '../../domain/host/retention.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { currentHost } from '../ledger/state.ts';
import type { Recovered } from '../runner/recover.ts';
import { runAsSystem } from './as-system.ts';
import type { Service } from './service.ts';

/** Disks erased with one command: discarding large ones takes its time, and others want to work as well. */
const AT_ONCE = 20;

/**
 * Erases what lies in the trash longer than it can be wanted back, the oldest first, as `gc` would. `sureMs`: how much longer
 * it must have been due. The caller holds the lease.
 */
export const tendTrash = async (
  service: Service,
  fault: Fault,
  sureMs: number,
): Promise<Result<readonly Recovered[], Failure>> => {
  const { due } = dueTrash(currentHost(service.ledger), service.now() - sureMs);
  if (due.length === 0) return ok([]);
  const disks = due.slice(0, AT_ONCE).map(({ disk }) => disk.id);
  const command: Command = { name: 'CollectGarbage', payload: { disks } };
  const removed = due.slice(0, AT_ONCE).some(({ why }) => why === 'removed');
  const reason = removed ? 'its 48 hours in the trash are over' : 'nothing can bring it back from the trash';
  const one = await runAsSystem(service, { command, reason, fault });
  if (!one.ok) return one;
  return ok([{ ...one.value, told: [`${counted(disks.length, 'disk')}: ${reason}`] }]);
};
