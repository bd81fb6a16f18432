import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdVolume } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import type { VolumeTarget } from './commands.ts';
import { type Found, findVolume } from './find.ts';
import { mustSaveOnStop } from './guards.ts';
import { planCommit, planDiscard } from './plan-stop.ts';
import { type Planning, placeOf, SESSION, swapIn } from './swap.ts';
import type { Session } from './volume.ts';

/**
 * Keeps what a running VM has written so far without stopping it: a snapshot of the session becomes the committed state.
 * Crash-consistent, as after a power cut. A file pool copies, so nobody may be writing meanwhile.
 */
const checkpoint = ({ volume, key, pool }: Found, session: Session, planning: Planning): Decision => {
  const { builder, context } = planning;
  if (pool.driver !== 'lvm_thin' && context.open.includes(session.disk.id)) {
    return err(
      failure('D_DEVICE_IN_USE', `${key} is being written to, and pool ${pool.name} cannot snapshot it at once`),
    );
  }
  const at = placeOf(volume, { kind: 'incoming', position: builder.freshPosition() });
  const from = placeOf(volume, SESSION);
  const made = builder.main(key, { do: 'snapshot', of: { id: session.disk.id }, from, at });
  const kept = swapIn(volume, { ref: { madeBy: made }, from: at }, planning);
  builder.fact({ type: 'SessionCheckpointed', volume: key, current: { madeBy: made }, kept });
  return ok({ plan: builder.build(), holds: [] });
};

/** Commits the session a crash left, or what a running VM has written so far. */
export const decideCommit = (host: Host, { vm, volume }: VolumeTarget, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const { situation } = found.value.volume;
  const { key } = found.value;
  const savable = mustSaveOnStop(found.value.volume, 'commit');
  if (!savable.ok) return savable;
  const planning = { builder: planBuilder(context.position), pool: found.value.pool, context };
  const holds = holdVolume(vm, key);
  switch (situation.is) {
    case 'dirty':
      planCommit(found.value.volume, situation.session, planning);
      return ok({ plan: planning.builder.build(), holds });
    case 'running': {
      const decision = checkpoint(found.value, situation.session, planning);
      return decision.ok ? ok({ ...decision.value, holds }) : decision;
    }
    case 'clean':
    case 'direct':
      return ok({ plan: planning.builder.build(), holds });
    case 'absent':
    case 'scratch':
      return err(failure('D_NOTHING_COMMITTED', `${key} has no session to commit`));
  }
};

/** Throws away the session a crash left. A running one goes with its VM: `vm stop --discard`. */
export const decideDiscard = (host: Host, { vm, volume }: VolumeTarget, context: Context): Decision => {
  const found = findVolume(host, vm, volume);
  if (!found.ok) return found;
  const { situation } = found.value.volume;
  const { key } = found.value;
  if (situation.is === 'running' || situation.is === 'scratch' || situation.is === 'direct') {
    const next = `domtrail vm stop ${vm} --discard`;
    return err(failure('D_NOT_HALTED', `${key} is in use: stop its VM without keeping the session`, { next }));
  }
  const planning = { builder: planBuilder(context.position), pool: found.value.pool, context };
  if (situation.is === 'dirty') planDiscard(found.value.volume, situation.session, planning);
  return ok({ plan: planning.builder.build(), holds: holdVolume(vm, key) });
};
