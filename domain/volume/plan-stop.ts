import type { Disk, Role } from '../disk.ts';
import { throwAway } from '../plan-builder.ts';
import { CURRENT, DIRECT, type Planning, placeOf, SCRATCH, SESSION, swapIn } from './swap.ts';
import type { Session, Volume } from './volume.ts';

const discard = (volume: Volume, disk: Disk, role: Role, { builder }: Planning): void =>
  throwAway(builder, { object: volume.spec.key, ref: { id: disk.id }, disk, from: placeOf(volume, role) }, 'discarded');

/** The session becomes the committed state; what was committed is kept as a revision. */
export const planCommit = (volume: Volume, session: Session, planning: Planning): void => {
  const from = placeOf(volume, SESSION);
  const kept = swapIn(volume, { ref: { id: session.disk.id }, from }, planning);
  planning.builder.fact({ type: 'SessionCommitted', volume: volume.spec.key, current: session.disk, kept });
};

/** The session goes; the committed state stays as it was. */
export const planDiscard = (volume: Volume, session: Session, planning: Planning): void => {
  discard(volume, session.disk, SESSION, planning);
  planning.builder.fact({ type: 'SessionDiscarded', volume: volume.spec.key });
};

/** What a stop needs, straight from save_on_stop (spec: storage 1.5); `keep` false throws every session away. */
export const planStop = (volume: Volume, keep: boolean, planning: Planning): void => {
  const { situation, spec } = volume;
  switch (situation.is) {
    case 'running':
      // A read-only disk cannot have changed, so there is nothing to commit (stock raises an assertion here).
      if (keep && spec.saveOnStop && spec.rw) planCommit(volume, situation.session, planning);
      else planDiscard(volume, situation.session, planning);
      return;
    case 'scratch':
      discard(volume, situation.disk, SCRATCH, planning);
      planning.builder.fact({ type: 'ScratchClosed', volume: spec.key });
      return;
    case 'direct': {
      const { current } = situation;
      const to = placeOf(volume, CURRENT);
      planning.builder.main(spec.key, { do: 'move', disk: { id: current.id }, from: placeOf(volume, DIRECT), to });
      planning.builder.fact({ type: 'DirectClosed', volume: spec.key });
      return;
    }
    case 'absent':
    case 'clean':
    case 'dirty':
      return;
  }
};
