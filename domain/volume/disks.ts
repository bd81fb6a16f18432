import type { Disk, Role } from '../disk.ts';
import { CURRENT, DIRECT, SCRATCH, SESSION } from './swap.ts';
import type { Volume } from './volume.ts';

export type Placed = { readonly disk: Disk; readonly role: Role };

const inSituation = (volume: Volume): readonly Placed[] => {
  const { situation } = volume;
  switch (situation.is) {
    case 'absent':
      return [];
    case 'clean':
      return [{ disk: situation.current, role: CURRENT }];
    case 'direct':
      return [{ disk: situation.current, role: DIRECT }];
    case 'scratch':
      return [{ disk: situation.disk, role: SCRATCH }];
    case 'running':
    case 'dirty': {
      const session: Placed = { disk: situation.session.disk, role: SESSION };
      return situation.current ? [session, { disk: situation.current, role: CURRENT }] : [session];
    }
  }
};

/** Every disk the log says a volume has now, and where each must lie. */
export const disksOf = (volume: Volume): readonly Placed[] => [
  ...inSituation(volume),
  ...volume.revisions.map(({ disk, number, at }): Placed => ({ disk, role: { kind: 'revision', number, at } })),
];
