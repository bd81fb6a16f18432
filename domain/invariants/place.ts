import { disksOf } from '../volume/disks.ts';
import { type Invariant, type Lying, type Resting, slotOf } from './invariant.ts';

const sessionOf = ({ volume: { situation } }: Resting): string | null =>
  'session' in situation ? situation.session.disk.id : null;

export const noOrphanSnap: Invariant = {
  name: 'no-orphan-snap',
  sentence: 'There is a -snap only for the session the log has: a commit or a discard leaves none behind.',
  rest: (resting) => {
    const orphan = resting.lying?.find(({ slot, id }) => slot === 'session' && id !== sessionOf(resting));
    const is = resting.volume.situation.is;
    return orphan ? `its -snap (${orphan.id}) still exists although it is ${is}` : null;
  },
};

const inPlaceOf = (lying: readonly Lying[], slot: Lying['slot']): readonly Lying[] =>
  lying.filter((one) => one.slot === slot);

export const oneCurrentPerVolume: Invariant = {
  name: 'one-current-per-volume',
  sentence: 'A volume has exactly one committed disk, the one the log names; one that never committed has none.',
  rest: ({ volume, lying }) => {
    if (lying === null || !volume.spec.saveOnStop) return null;
    const wanted = disksOf(volume).find(({ role }) => slotOf(role) === 'current')?.disk.id ?? null;
    const there = inPlaceOf(lying, 'current').map(({ id }) => id);
    if (there.length > 1) return `it has ${there.length} committed disks: ${there.join(', ')}`;
    const [only = null] = there;
    return only === wanted ? null : `its committed disk is ${only ?? 'gone'}; the log says ${wanted ?? 'none'}`;
  },
};

export const diskWhereTheLogSays: Invariant = {
  name: 'disk-where-the-log-says',
  sentence: 'Every disk that a volume lists lies under that volume, as what it is listed as.',
  rest: ({ volume, lying }) => {
    if (lying === null) return null;
    const slots = new Map(lying.map(({ id, slot }) => [id, slot]));
    for (const { disk, role } of disksOf(volume)) {
      const there = slots.get(disk.id);
      if (there !== slotOf(role))
        return `its ${role.kind} (${disk.id}) ${there ? `lies there as ${there}` : 'is not there'}`;
    }
    return null;
  },
};

export const oneDiskOnePlace: Invariant = {
  name: 'one-disk-one-place',
  sentence: 'A disk is one thing of one volume: never two of its states at once, and never in the trash as well.',
  rest: ({ volume, vm, host }) => {
    const mine = disksOf(volume).map(({ disk }) => disk.id);
    const twice = mine.find((id, index) => mine.indexOf(id) !== index);
    if (twice) return `${twice} is listed twice`;
    const trashed = mine.find((id) => host.trash.has(id));
    if (trashed) return `${trashed} is in the trash, too`;
    for (const other of Object.values(vm.volumes)) {
      const shared = other === volume ? undefined : disksOf(other).find(({ disk }) => mine.includes(disk.id));
      if (shared) return `${shared.disk.id} belongs to ${other.spec.key}, too`;
    }
    return null;
  },
};
