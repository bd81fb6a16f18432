import type { DiskId } from '../disk.ts';
import { volumeOf } from '../host/host.ts';
import { disksOf } from '../volume/disks.ts';
import type { Kept, VolumeFact } from '../volume/events.ts';
import { currentOf } from '../volume/volume.ts';
import type { Befallen, Invariant, Stepped } from './invariant.ts';

const keptBy = (fact: VolumeFact): Kept => ('kept' in fact ? fact.kept : null);

const becomesCurrent = (fact: VolumeFact): DiskId | null => {
  switch (fact.type) {
    case 'SessionCommitted':
    case 'SessionCheckpointed':
    case 'VolumeReverted':
    case 'VolumeImported':
    case 'VolumeCloned':
      return fact.current.id;
    default:
      return null;
  }
};

export const backIsThePreviousCurrent: Invariant = {
  name: 'back-is-the-previous-current',
  sentence: 'The revision that a change keeps is the disk that was committed before it, never one with the new data.',
  fact: ({ fact, before }) => {
    const kept = keptBy(fact);
    const current = currentOf(before)?.id ?? null;
    return kept && kept.disk.id !== current
      ? `revision ${kept.id} is the disk ${kept.disk.id}; what was committed before is ${current ?? 'nothing'}`
      : null;
  },
};

const committedOtherwise = ({ fact, before, shelf }: Befallen): string | null => {
  if (fact.type !== 'SessionCommitted' && fact.type !== 'SessionCheckpointed') return null;
  const { situation } = before;
  const session = 'session' in situation ? situation.session.disk.id : null;
  const { id } = fact.current;
  if (fact.type === 'SessionCommitted') {
    return id === session ? null : `${id} was committed; the session was written to ${session ?? 'no disk'}`;
  }
  const copied = shelf.disks.get(id)?.origin;
  return !copied || copied === session ? null : `${id} was committed, a snapshot of ${copied} and not of the session`;
};

export const committedIsTheSession: Invariant = {
  name: 'committed-is-the-session',
  sentence: 'A commit commits the disk that the VM wrote to in its session.',
  fact: committedOtherwise,
};

export const nothingErasedIsCommitted: Invariant = {
  name: 'nothing-erased-is-committed',
  sentence: 'A disk that was erased, or began to be, never becomes the committed state of a volume.',
  fact: ({ fact, shelf }) => {
    const id = becomesCurrent(fact);
    return id !== null && shelf.disks.get(id)?.erased ? `${id} is committed after its content was discarded` : null;
  },
};

/** The volume that lists a disk as its content. A removal that goes through has no volume left to ask. */
const listedIn = ({ host, operation, disk }: Stepped): string | null => {
  for (const { object } of operation.holds) {
    const volume = object.includes(':') ? volumeOf(host, object as never) : undefined;
    const placed = volume && disksOf(volume).find((one) => one.disk.id === disk);
    if (placed) return `${object} still lists it as its ${placed.role.kind}`;
  }
  return null;
};

export const noZeroedRevision: Invariant = {
  name: 'no-zeroed-revision',
  sentence: 'Nothing that a volume lists, live or as a revision, is erased: what goes leaves the list first.',
  step: (stepped) => {
    const { event, deed } = stepped;
    if (deed.do !== 'erase' || (event.type === 'StepFailed' && event.evidence.argv.length === 0)) return null;
    const where = listedIn(stepped);
    return where === null ? null : `${stepped.disk} was erased while ${where}`;
  },
  rest: ({ volume, lying }) => {
    const listed = new Map(disksOf(volume).map(({ disk, role }) => [disk.id, role.kind]));
    const zeroed = lying?.find(({ id, erased }) => erased && listed.has(id));
    return zeroed ? `${zeroed.id}, listed as its ${listed.get(zeroed.id)}, reads as zeros` : null;
  },
};

export const snapshotIsOfItsMoment: Invariant = {
  name: 'snapshot-is-of-its-moment',
  sentence:
    'A snapshot holds its origin as it was when the command was decided, not as somebody changed it afterwards.',
  step: ({ event, deed, operation, shelf }) => {
    if (deed.do !== 'snapshot' || event.type !== 'StepDone' || !('id' in deed.of)) return null;
    const written = shelf.disks.get(deed.of.id)?.written;
    if (!written || written.position <= operation.position || written.command === operation.command) return null;
    const how = event.found ? 'was found made' : 'was made';
    return `${event.disk?.id ?? 'the snapshot'} ${how} after its origin ${deed.of.id} changed at ev:${written.position}`;
  },
};
