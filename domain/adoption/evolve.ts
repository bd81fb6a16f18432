import type { Disk, DiskId } from '../disk.ts';
import type { Revision, Session, Situation, Volume } from '../volume/volume.ts';
import type { AdoptionVolumeFact } from './events.ts';

type Adopted = Extract<AdoptionVolumeFact, { type: 'DiskAdopted' }>;

const currentIn = (situation: Situation): Disk | null => ('current' in situation ? situation.current : null);

const asRevision = (volume: Volume, { disk, as }: Adopted, position: number): Volume => {
  if (as.is !== 'revision') return volume;
  const { id, number, at } = as;
  const revision: Revision = { id, number, at, disk, position, pinned: false };
  return {
    ...volume,
    revisions: [...volume.revisions, revision],
    lastNumber: Math.max(volume.lastNumber, number),
    lastAt: Math.max(volume.lastAt, at),
  };
};

/** A committed disk's real size counts, as it does for stock; a session waits for somebody to decide. */
const adopt = (volume: Volume, fact: Adopted, position: number): Volume => {
  const { situation, spec } = volume;
  const { disk, as, origin } = fact;
  switch (as.is) {
    case 'revision':
      return asRevision(volume, fact, position);
    case 'current': {
      const next: Situation =
        situation.is === 'dirty' ? { ...situation, current: disk } : { is: 'clean', current: disk };
      return { ...volume, spec: { ...spec, bytes: disk.bytes }, situation: next };
    }
    case 'session':
      return { ...volume, situation: { is: 'dirty', session: { disk, origin }, current: currentIn(situation) } };
  }
};

type NewId = (id: DiskId) => DiskId;

const renamedSession = ({ disk, origin }: Session, newId: NewId): Session => ({
  disk: { ...disk, id: newId(disk.id) },
  origin: origin === null ? null : newId(origin),
});

const renamedSituation = (situation: Situation, newId: NewId): Situation => {
  const renamed = (disk: Disk): Disk => ({ ...disk, id: newId(disk.id) });
  switch (situation.is) {
    case 'absent':
      return situation;
    case 'clean':
    case 'direct':
      return { is: situation.is, current: renamed(situation.current) };
    case 'scratch':
      return { is: 'scratch', disk: renamed(situation.disk) };
    case 'running':
    case 'dirty': {
      const current = situation.current && renamed(situation.current);
      return { is: situation.is, session: renamedSession(situation.session, newId), current };
    }
  }
};

/** The volume after an adoption's fact. */
export const evolveAdopted = (volume: Volume, fact: AdoptionVolumeFact, position: number): Volume => {
  if (fact.type === 'DiskAdopted') return adopt(volume, fact, position);
  const ids = new Map(fact.disks.map(({ was, now }) => [was, now]));
  const newId: NewId = (id) => ids.get(id) ?? id;
  return {
    ...volume,
    situation: renamedSituation(volume.situation, newId),
    revisions: volume.revisions.map((one) => ({ ...one, disk: { ...one.disk, id: newId(one.disk.id) } })),
  };
};
