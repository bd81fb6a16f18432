import type { DiskId, Place } from '../../domain/disk.ts';
import type { BoundDeed, Job, Sighting } from '../drivers/driver.port.ts';

/** One survey, ready to be asked. */
export type Look = {
  readonly byId: ReadonlyMap<DiskId, Sighting>;
  readonly byName: ReadonlyMap<string, Sighting>;
};

export const lookOf = (sightings: readonly Sighting[]): Look => ({
  byId: new Map(sightings.map((one) => [one.id, one])),
  byName: new Map(sightings.map((one) => [one.name, one])),
});

/**
 * How a step stands in the world:
 * - done: its after holds; whoever did it, it need not be done again
 * - ready: its before holds
 * - spoiled: its disk is there but without content that can be trusted (LVM's phantom): scrap it, then do the step
 * - drift: neither; somebody else changed something, so nothing is touched
 */
export type Verdict =
  | { readonly is: 'done'; readonly disk: Sighting | null }
  | { readonly is: 'ready'; readonly disk: Sighting | null }
  | { readonly is: 'spoiled'; readonly disk: Sighting }
  | { readonly is: 'drift'; readonly message: string };

type NameOf = (place: Place) => string;

const drift = (message: string): Verdict => ({ is: 'drift', message });

type Making = Extract<BoundDeed, { do: 'create' | 'snapshot' }>;

/** A name is no proof of a disk: what a snapshot is taken of must be the disk the plan meant, where the log left it. */
const judgeOrigin = (deed: Making, look: Look, nameOf: NameOf): Verdict => {
  if (deed.do === 'create') return { is: 'ready', disk: null };
  const origin = at(deed.of, deed.from, look, nameOf);
  return 'is' in origin ? origin : { is: 'ready', disk: null };
};

const judgeMaking = (job: Job, deed: Making, look: Look, nameOf: NameOf): Verdict => {
  const name = nameOf(deed.at);
  const origin = deed.do === 'snapshot' ? deed.of : null;
  const there = look.byName.get(name);
  if (!there) return judgeOrigin(deed, look, nameOf);
  if (there.madeBy?.command !== job.command || there.madeBy.step !== job.step) {
    return drift(`${name} exists already and was not made by this command`);
  }
  // An origin that LVM no longer knows (its parent was removed) proves nothing either way; a wrong one does.
  if (origin !== null && there.origin !== null && there.origin !== origin) {
    return drift(`${name} is a snapshot of another disk (${there.origin})`);
  }
  // What makes a disk makes it active in the end. One that is not was left half made, and what somebody else's command
  // completed later has the content of that later moment.
  return there.usable && there.active ? { is: 'done', disk: there } : { is: 'spoiled', disk: there };
};

/** Where a disk is: under the name it should have, when it has that, for a file may have another name besides (a hard link). */
export const whereIs = (disk: DiskId, name: string, look: Look): Sighting | undefined => {
  const named = look.byName.get(name);
  return named?.id === disk ? named : look.byId.get(disk);
};

const judgeMove = (deed: Extract<BoundDeed, { do: 'move' }>, look: Look, nameOf: NameOf): Verdict => {
  const to = nameOf(deed.to);
  const from = nameOf(deed.from);
  const disk = look.byName.get(to)?.id === deed.disk ? look.byName.get(to) : whereIs(deed.disk, from, look);
  if (!disk) return drift(`the disk of ${from} (${deed.disk}) is gone`);
  if (disk.name === to) return { is: 'done', disk };
  if (disk.name !== from) return drift(`the disk of ${from} (${deed.disk}) is now called ${disk.name}`);
  return look.byName.has(to) ? drift(`${to} is taken by another disk`) : { is: 'ready', disk };
};

const at = (disk: DiskId, place: Place, look: Look, nameOf: NameOf): Sighting | Verdict => {
  const name = nameOf(place);
  const seen = whereIs(disk, name, look);
  if (!seen) return drift(`the disk of ${name} (${disk}) is gone`);
  return seen.name === name ? seen : drift(`the disk of ${name} (${disk}) is now called ${seen.name}`);
};

const judgeResize = (deed: Extract<BoundDeed, { do: 'resize' }>, disk: Sighting): Verdict => {
  const enough = deed.shrink ? disk.bytes === deed.bytes : disk.bytes >= deed.bytes;
  return { is: enough ? 'done' : 'ready', disk };
};

const judgeErase = (deed: Extract<BoundDeed, { do: 'erase' }>, look: Look, nameOf: NameOf): Verdict => {
  if (!look.byId.has(deed.disk)) return { is: 'done', disk: null };
  const seen = at(deed.disk, deed.at, look, nameOf);
  return 'is' in seen ? seen : { is: 'ready', disk: seen };
};

/** Judges a step by what is there, never by what a program returned. Fills and reads leave no trace: they are always ready. */
export const judge = (job: Job, look: Look, nameOf: NameOf): Verdict => {
  const { deed } = job;
  switch (deed.do) {
    case 'create':
    case 'snapshot':
      return judgeMaking(job, deed, look, nameOf);
    case 'move':
      return judgeMove(deed, look, nameOf);
    case 'erase':
      return judgeErase(deed, look, nameOf);
    case 'resize':
    case 'activate':
    case 'fill':
    case 'read': {
      const seen = at(deed.disk, deed.at, look, nameOf);
      if ('is' in seen) return seen;
      if (deed.do === 'resize') return judgeResize(deed, seen);
      return { is: deed.do === 'activate' && seen.active ? 'done' : 'ready', disk: seen };
    }
  }
};

/** Judges after the act. A fill or read that failed nowhere is done; a size that LVM rounded up is right. */
export const judgeAfter = (job: Job, look: Look, nameOf: NameOf, failed: boolean): Verdict => {
  const verdict = judge(job, look, nameOf);
  if (verdict.is !== 'ready' || failed) return verdict;
  const { deed } = job;
  if (deed.do === 'fill' || deed.do === 'read') return { is: 'done', disk: verdict.disk };
  if (deed.do === 'resize' && verdict.disk && verdict.disk.bytes >= deed.bytes)
    return { is: 'done', disk: verdict.disk };
  return verdict;
};
