import { evolveAdopted } from '../adoption/evolve.ts';
import type { DiskId } from '../disk.ts';
import { evolveDrifted } from '../drift/evolve.ts';
import type { DomainEvent } from '../event.ts';
import type { Kept, VolumeFact } from './events.ts';
import type { Revision, Session, Situation, Volume, VolumeSpec } from './volume.ts';

export const volumeOfSpec = (spec: VolumeSpec): Volume => ({
  spec,
  situation: { is: 'absent' },
  revisions: [],
  lastNumber: 0,
  lastAt: 0,
});

export const isVolumeFact = (event: DomainEvent): event is VolumeFact =>
  'volume' in event && typeof event.volume === 'string';

const impossible = (volume: Volume, fact: VolumeFact): Error =>
  new Error(`${fact.type} cannot happen to ${volume.spec.key}, which is ${volume.situation.is}`);

const keep = (volume: Volume, kept: Kept, position: number): Volume => {
  if (!kept) return volume;
  const revision: Revision = { ...kept, position, pinned: false };
  return { ...volume, revisions: [...volume.revisions, revision], lastNumber: kept.number, lastAt: kept.at };
};

const inSituation = (volume: Volume, situation: Situation): Volume => ({ ...volume, situation });

const sessionOf = (volume: Volume, fact: VolumeFact): Session => {
  const { situation } = volume;
  if (situation.is === 'running' || situation.is === 'dirty') return situation.session;
  throw impossible(volume, fact);
};

const committedOf = (volume: Volume) => {
  const { situation } = volume;
  return situation.is === 'absent' || situation.is === 'scratch' ? null : situation.current;
};

const atRest = (volume: Volume): Situation => {
  const current = committedOf(volume);
  return current ? { is: 'clean', current } : { is: 'absent' };
};

const withSpec = (volume: Volume, change: Partial<VolumeSpec>): Volume => ({
  ...volume,
  spec: { ...volume.spec, ...change },
});

/** What is set anew is written as domtrail writes it, however the adopted document had it. */
const withoutWritten = (spec: VolumeSpec, change: Partial<VolumeSpec>): Partial<VolumeSpec> => {
  if (!spec.written) return change;
  const left = Object.entries(spec.written).filter(([name]) => !(name in change));
  return { ...change, written: Object.fromEntries(left) };
};

const resized = (volume: Volume, fact: Extract<VolumeFact, { type: 'VolumeResized' }>, position: number): Volume => {
  const next = withSpec(keep(volume, fact.kept, position), { bytes: fact.bytes });
  const { disk } = fact;
  const { situation } = volume;
  if (!disk) return next;
  switch (situation.is) {
    case 'clean':
    case 'direct':
      return inSituation(next, { is: situation.is, current: disk });
    case 'running':
    case 'dirty':
      return inSituation(next, { ...situation, session: { ...situation.session, disk } });
    case 'scratch':
      return inSituation(next, { is: 'scratch', disk });
    case 'absent':
      throw impossible(volume, fact);
  }
};

const direct = (volume: Volume, fact: VolumeFact, to: 'direct' | 'clean'): Volume => {
  const current = committedOf(volume);
  if (!current) throw impossible(volume, fact);
  return inSituation(volume, { is: to, current });
};

const returned = (volume: Volume, fact: Extract<VolumeFact, { type: 'VolumeReturned' }>): Volume => {
  const { current, session, revisions, lastNumber, lastAt } = fact;
  const atRest: Situation = current ? { is: 'clean', current } : { is: 'absent' };
  const situation: Situation = session ? { is: 'dirty', session, current } : atRest;
  return { spec: volume.spec, situation, revisions, lastNumber, lastAt };
};

/** The volume after a fact at `position`. Throws when the fact cannot follow from the situation. */
export const evolveVolume = (volume: Volume, fact: VolumeFact, position: number): Volume => {
  switch (fact.type) {
    case 'VolumeAdded':
      return volumeOfSpec(fact.spec);
    case 'VolumeRemoved':
    case 'VolumeExported':
    case 'VolumeBackedUp':
    case 'VolumeBackupFailed':
      return volume;
    case 'VolumeProvisioned':
    case 'VolumeRestored':
      return inSituation(volume, { is: 'clean', current: fact.current });
    case 'VolumeReturned':
      return returned(volume, fact);
    case 'SessionOpened':
      return inSituation(volume, { is: 'running', session: fact.session, current: committedOf(volume) });
    case 'ScratchOpened':
      return inSituation(volume, { is: 'scratch', disk: fact.disk });
    case 'SessionResumed':
      return inSituation(volume, { is: 'running', session: sessionOf(volume, fact), current: committedOf(volume) });
    case 'SessionLeft':
      return inSituation(volume, { is: 'dirty', session: sessionOf(volume, fact), current: committedOf(volume) });
    case 'SessionCheckpointed': {
      const session: Session = { ...sessionOf(volume, fact), origin: null as DiskId | null };
      return inSituation(keep(volume, fact.kept, position), { is: 'running', session, current: fact.current });
    }
    case 'VolumeImported':
    case 'VolumeCloned':
      return withSpec(inSituation(keep(volume, fact.kept, position), { is: 'clean', current: fact.current }), {
        bytes: fact.current.bytes,
      });
    case 'SessionCommitted':
    case 'VolumeReverted':
      return inSituation(keep(volume, fact.kept, position), { is: 'clean', current: fact.current });
    case 'SessionDiscarded':
    case 'ScratchClosed':
      return inSituation(volume, atRest(volume));
    case 'DirectOpened':
      return direct(volume, fact, 'direct');
    case 'DirectClosed':
      return direct(volume, fact, 'clean');
    case 'VolumeResized':
      return resized(volume, fact, position);
    case 'VolumeChanged':
      return withSpec(volume, withoutWritten(volume.spec, fact.change));
    case 'VolumeResourced':
      return withSpec(volume, fact.spec);
    case 'RevisionRetired':
      return { ...volume, revisions: volume.revisions.filter((revision) => revision.id !== fact.id) };
    case 'DiskAdopted':
    case 'VolumeReidentified':
      return evolveAdopted(volume, fact, position);
    case 'DiskLost':
    case 'DisksAccepted':
      return evolveDrifted(volume, fact);
    case 'RevisionPinned':
      return { ...volume, revisions: pin(volume.revisions, fact.id, fact.pinned) };
  }
};

const pin = (revisions: readonly Revision[], id: string, pinned: boolean): readonly Revision[] =>
  revisions.map((revision) => (revision.id === id ? { ...revision, pinned } : revision));
