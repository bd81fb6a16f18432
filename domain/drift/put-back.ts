import type { SeenDisk } from '../adoption/seen.ts';
import type { Place, Role } from '../disk.ts';
import type { Failure } from '../failure.ts';
import type { PlanBuilder } from '../plan-builder.ts';
import { drifted } from './chosen.ts';
import type { Expected, ListedDifference } from './difference.ts';

/** A disk that lies elsewhere than it must. */
type Astray = Extract<ListedDifference, { is: 'renamed' | 'replaced' }>;

export const isAstray = (one: ListedDifference): one is Astray => one.is === 'renamed' || one.is === 'replaced';

/** Where a disk lies, in words that its driver turns into the very name it was seen under. */
const whereSeen = ({ place }: Expected, { name, named }: SeenDisk): Place => {
  if (!named) return { ...place, role: { kind: 'stray', name } };
  const role: Role = named.as.kind === 'revision' ? { ...named.as, number: named.as.number ?? 1 } : named.as;
  return { pool: place.pool, vid: named.vid, role };
};

/** Why not all of them can be put back; null when they can. A stranger in the place of a disk is never moved by us. */
export const whyNotPutBack = (astray: readonly Astray[]): Failure | null => {
  const ours = new Set(astray.map(({ expected }) => expected.disk.id));
  for (const one of astray) {
    const { name, disk } = one.expected;
    if (!one.seen) return drifted(`${disk.id} is gone: nothing can be put back to ${name}`);
    if (one.is === 'replaced' && !ours.has(one.there.id))
      return drifted(`${name} is another disk (${one.there.id}), which is not ours to move`);
  }
  return null;
};

const LANE = 'drift';

/** Every disk to its place; where others of them lie there, all by way of a name of their own. */
export const putBack = (astray: readonly Astray[], builder: PlanBuilder): void => {
  const detour = astray.some(({ is }) => is === 'replaced');
  const starts = astray.flatMap(({ expected, seen }) => {
    if (!seen) return [];
    const from = whereSeen(expected, seen);
    if (!detour) return [{ expected, from }];
    const to: Place = { ...expected.place, role: { kind: 'incoming', position: builder.freshPosition() } };
    builder.main(expected.object, { do: 'move', disk: { id: expected.disk.id }, from, to }, LANE);
    return [{ expected, from: to }];
  });
  for (const { expected, from } of starts) {
    builder.main(expected.object, { do: 'move', disk: { id: expected.disk.id }, from, to: expected.place }, LANE);
  }
};
