import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Fault } from '../fault.ts';
import { acquireLeaseWithin, releaseLease, SERVE } from '../ledger/lease.ts';
import { thisProcess } from '../ledger/process-identity.ts';
import type { Recovered } from '../runner/recover.ts';

import { recoverHost } from '../service/recover.ts';
import { type Service, serviceOf } from '../service/service.ts';
import { tendFirewalls } from '../service/tend-firewalls.ts';
import { tendTrash } from '../service/tend-trash.ts';

/**
 * `due`: what any command does first, expired rules above all. `firewalls`: also what waited for a QubesDB, or is lost there.
 * `all`: like `recover`.
 */
export type Reach = 'due' | 'firewalls' | 'all';

/** What a turn did. `problem`: what it could not do and nobody recorded. */
export type Turned = { readonly done: readonly Recovered[]; readonly problem: Failure | null };

type What = { readonly reach: Reach; readonly trash: number | null };

const recovering = async (service: Service, fault: Fault, { reach, trash }: What): Promise<Result<Turned, Failure>> => {
  const ended = await recoverHost(service, { fault, failedToo: reach === 'all', backupsToo: false, rewrites: false });
  if (!ended.ok) return ended;
  const { recovered, barred } = ended.value;
  const tended = reach !== 'firewalls' ? ok([]) : await tendFirewalls(service, fault);
  if (!tended.ok) return tended;
  const erased = trash === null ? ok([]) : await tendTrash(service, fault, trash);
  if (!erased.ok) return erased;
  const [first] = barred.values();
  return ok({ done: [...recovered, ...tended.value, ...erased.value], problem: first ?? null });
};

/**
 * Everything that is due, under the lease, which is given back before this returns. Pools are looked at anew each time: the
 * last turn may be days ago. `trash`: how many milliseconds it must have been due for to be erased; null: it stays. D_BUSY when somebody else is at work for longer than the service waits.
 */
export const takeTurn = async (parts: Service, fault: Fault, what: What): Promise<Result<Turned, Failure>> => {
  const service = serviceOf(parts);
  const lease = await acquireLeaseWithin(service.ledger, thisProcess(), SERVE, service.waitMs);
  if (!lease.ok) return lease;
  try {
    const turned = await recovering(service, fault, what);
    const published = service.publish();
    if (!turned.ok) return turned;
    return ok({ ...turned.value, problem: published.ok ? turned.value.problem : published.error });
  } finally {
    releaseLease(service.ledger);
  }
};
