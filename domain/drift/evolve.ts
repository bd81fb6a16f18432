import type { Disk, DiskId } from '../disk.ts';
import type { Session, Situation, Volume } from '../volume/volume.ts';
import { currentOf } from '../volume/volume.ts';
import type { Accepted, DriftVolumeFact } from './adopted.ts';

const atRest = (current: Disk | null): Situation => (current ? { is: 'clean', current } : { is: 'absent' });

const withoutDisk = (situation: Situation, lost: DiskId): Situation => {
  switch (situation.is) {
    case 'absent':
      return situation;
    case 'clean':
    case 'direct':
      return situation.current.id === lost ? { is: 'absent' } : situation;
    case 'scratch':
      return situation.disk.id === lost ? { is: 'absent' } : situation;
    case 'running':
    case 'dirty': {
      const current = situation.current?.id === lost ? null : situation.current;
      return situation.session.disk.id === lost ? atRest(current) : { ...situation, current };
    }
  }
};

type Taken = ReadonlyMap<DiskId, Accepted>;

const accepted = (disk: Disk, taken: Taken): Disk => taken.get(disk.id)?.disk ?? disk;

/** The session's origin is what LVM says about a disk that was exchanged, else what it was. */
const acceptedSession = ({ disk, origin }: Session, taken: Taken): Session => {
  const one = taken.get(disk.id);
  return one && one.disk.id !== disk.id ? { disk: one.disk, origin: one.origin } : { disk: one?.disk ?? disk, origin };
};

const acceptedSituation = (situation: Situation, taken: Taken): Situation => {
  switch (situation.is) {
    case 'absent':
      return situation;
    case 'clean':
    case 'direct':
      return { is: situation.is, current: accepted(situation.current, taken) };
    case 'scratch':
      return { is: 'scratch', disk: accepted(situation.disk, taken) };
    case 'running':
    case 'dirty': {
      const current = situation.current && accepted(situation.current, taken);
      return { is: situation.is, session: acceptedSession(situation.session, taken), current };
    }
  }
};

/** A committed disk's real size counts, as at an adoption. */
const accept = (volume: Volume, disks: readonly Accepted[]): Volume => {
  const taken: Taken = new Map(disks.map((one) => [one.was, one]));
  const next: Volume = {
    ...volume,
    situation: acceptedSituation(volume.situation, taken),
    revisions: volume.revisions.map((one) => ({ ...one, disk: accepted(one.disk, taken) })),
  };
  const current = currentOf(next);
  const changed = current !== null && disks.some(({ disk }) => disk.id === current.id);
  return changed ? { ...next, spec: { ...next.spec, bytes: current.bytes } } : next;
};

/** The volume after somebody took over what became of its disks. */
export const evolveDrifted = (volume: Volume, fact: DriftVolumeFact): Volume => {
  if (fact.type === 'DisksAccepted') return accept(volume, fact.disks);
  return {
    ...volume,
    situation: withoutDisk(volume.situation, fact.disk),
    revisions: volume.revisions.filter(({ disk }) => disk.id !== fact.disk),
  };
};
