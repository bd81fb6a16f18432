import type { Context } from '../decision.ts';
import type { Disk, DiskRef, Place, Role } from '../disk.ts';
import { type PlanBuilder, retireLater, throwAway } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import type { Template } from '../steps.ts';
import type { Kept } from './events.ts';
import { currentOf, type Revision, type Volume } from './volume.ts';

export const placeOf = (volume: Volume, role: Role): Place => ({
  pool: volume.spec.pool,
  vid: volume.spec.vid,
  role,
});

export const CURRENT: Role = { kind: 'current' };
export const SESSION: Role = { kind: 'session' };
export const SCRATCH: Role = { kind: 'scratch' };
export const DIRECT: Role = { kind: 'direct' };
export const IMPORT: Role = { kind: 'import' };

/** What a planner needs to know around a volume. */
export type Planning = {
  readonly builder: PlanBuilder;
  readonly pool: Pool;
  readonly context: Context;
  /** retention waits for the next change: what goes back in time destroys nothing */
  readonly retainsAll?: true;
};

/** A revision's id as the stock tools of its driver show it: `<seconds>-back` on LVM, the number on files. */
export const revisionId = (pool: Pool, number: number, at: number): string =>
  pool.driver === 'lvm_thin' ? `${at}-back` : `${number}`;

/**
 * The next revision of a volume. Its time grows even when the clock was set back, because stock tools order revisions by
 * the number in the name and would prune the newest (spec: storage 2.5, "clock stepped back").
 */
const nextRevision = (volume: Volume, { pool, context }: Planning) => {
  const number = volume.lastNumber + 1;
  const at = Math.max(Math.floor(context.now / 1000), volume.lastAt + 1);
  return { id: revisionId(pool, number, at), number, at };
};

const revisionPlace = (volume: Volume, revision: Pick<Revision, 'number' | 'at'>): Place =>
  placeOf(volume, { kind: 'revision', number: revision.number, at: revision.at });

/** Retires a revision in the cleanup. */
export const retire = (volume: Volume, revision: Revision, planning: Planning): void =>
  retireLater(
    planning.builder,
    {
      object: volume.spec.key,
      ref: { id: revision.disk.id },
      disk: revision.disk,
      from: revisionPlace(volume, revision),
    },
    'retention',
    [{ type: 'RevisionRetired', volume: volume.spec.key, id: revision.id, why: 'retention' }],
  );

/** Unpinned revisions beyond the newest `keep`, oldest first. Pinned ones neither count nor go. */
export const overRetention = (volume: Volume, keep: number): readonly Revision[] => {
  const unpinned = volume.revisions.filter((revision) => !revision.pinned).sort((a, b) => a.number - b.number);
  return unpinned.slice(0, Math.max(0, unpinned.length - Math.max(0, keep)));
};

const retireBeyond = (volume: Volume, keep: number, planning: Planning): void => {
  for (const revision of overRetention(volume, keep)) retire(volume, revision, planning);
};

/** Takes the committed disk out of the way: it becomes a revision, or trash where none are kept. */
const displace = (volume: Volume, current: Disk, planning: Planning): Template<Kept> => {
  const { builder } = planning;
  const from = placeOf(volume, CURRENT);
  const object = volume.spec.key;
  if (volume.spec.revisionsToKeep <= 0) {
    throwAway(builder, { object, ref: { id: current.id }, disk: current, from }, 'not-kept');
    return null;
  }
  const next = nextRevision(volume, planning);
  builder.main(object, { do: 'move', disk: { id: current.id }, from, to: revisionPlace(volume, next) });
  return { ...next, disk: current };
};

/**
 * Puts another disk in the place of the committed one by two renames; the old one is kept as a revision, then retention.
 * Nothing is destroyed before both renames stand. Gives what was kept.
 */
export const swapIn = (
  volume: Volume,
  incoming: { readonly ref: DiskRef; readonly from: Place },
  planning: Planning,
): Template<Kept> => {
  const current = currentOf(volume);
  const kept = current ? displace(volume, current, planning) : null;
  planning.builder.main(volume.spec.key, {
    do: 'move',
    disk: incoming.ref,
    from: incoming.from,
    to: placeOf(volume, CURRENT),
  });
  if (!planning.retainsAll) retireBeyond(volume, Math.max(0, volume.spec.revisionsToKeep) - (kept ? 1 : 0), planning);
  return kept;
};
