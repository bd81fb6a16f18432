import type { VolumeFact } from '../volume/events.ts';
import type { Volume } from '../volume/volume.ts';
import type { Invariant } from './invariant.ts';

const isRising = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0));

const outOfOrder = (fact: VolumeFact, { lastNumber, lastAt }: Volume): string | null => {
  const kept = 'kept' in fact ? fact.kept : null;
  if (!kept || (kept.number > lastNumber && kept.at > lastAt)) return null;
  return `revision ${kept.id} (number ${kept.number}, time ${kept.at}) does not come after number ${lastNumber}, time ${lastAt}`;
};

export const revisionOrder: Invariant = {
  name: 'revision-order',
  sentence:
    'Each revision has a higher number than those before it, and a commit of ours a later time, whatever the clock did.',
  fact: ({ fact, before }) => outOfOrder(fact, before),
  // Adopted revisions keep the times of their names, which a clock set back may have put out of order.
  rest: ({ volume: { revisions } }) => {
    return isRising(revisions.map(({ number }) => number))
      ? null
      : `its revisions are out of order: ${revisions.map(({ id }) => id).join(', ')}`;
  },
};

export const oldestGoesFirst: Invariant = {
  name: 'oldest-goes-first',
  sentence: 'Retention takes the oldest revision, and never one that is pinned.',
  fact: ({ fact, before }) => {
    if (fact.type !== 'RevisionRetired' || fact.why !== 'retention') return null;
    const gone = before.revisions.find(({ id }) => id === fact.id);
    if (!gone) return `revision ${fact.id} was retired, which it does not list`;
    if (gone.pinned) return `revision ${fact.id} was retired although it is pinned`;
    const older = before.revisions.find(({ number, pinned }) => !pinned && number < gone.number);
    return older ? `revision ${fact.id} was retired before the older ${older.id}` : null;
  },
};
