import type { Disk, Role } from '../disk.ts';
import { holdName } from '../holds.ts';
import { CURRENT, placeOf, SESSION } from '../volume/swap.ts';
import { currentOf, type Revision, type Session, type Volume } from '../volume/volume.ts';
import { hold, refuse, type WayBack } from './way-back.ts';

/** Moves a disk from the trash to where it was; null when it is not there any more. */
const fetchDisk = (way: WayBack, volume: Volume, disk: Disk, role: Role): Disk | null => {
  const trash = way.host.trash.get(disk.id);
  if (!trash) return null;
  const { key } = volume.spec;
  const to = placeOf(volume, role);
  way.builder.main(key, { do: 'move', disk: { id: disk.id }, from: trash.place, to });
  way.builder.fact({ type: 'DiskReturned', disk: disk.id, from: key });
  hold(way, holdName(`trash ${disk.id}`));
  return trash.disk;
};

const currentBack = (way: WayBack, past: Volume): Disk | null => {
  const wanted = currentOf(past);
  if (!wanted) return null;
  const current = fetchDisk(way, past, wanted, CURRENT);
  if (!current) refuse(way, `the disk ${wanted.id} of ${past.spec.key} is gone: gc has erased it`);
  return current;
};

const revisionsBack = (way: WayBack, past: Volume): readonly Revision[] =>
  past.revisions.flatMap((revision) => {
    const { number, at, id } = revision;
    const disk = fetchDisk(way, past, revision.disk, { kind: 'revision', number, at });
    if (!disk) way.lost.push(`revision ${id} of ${past.spec.key} is gone`);
    return disk ? [{ ...revision, disk }] : [];
  });

const sessionBack = (way: WayBack, past: Volume): Session | null => {
  const { situation, spec } = past;
  if (situation.is !== 'dirty') return null;
  const disk = fetchDisk(way, past, situation.session.disk, SESSION);
  if (!disk) way.lost.push(`the interrupted session of ${spec.key} is gone`);
  return disk ? { ...situation.session, disk } : null;
};

/** The disks of a volume that went come back from the trash, under the names they had. */
export const volumeReturns = (way: WayBack, past: Volume): void => {
  const current = currentBack(way, past);
  const revisions = revisionsBack(way, past);
  const session = sessionBack(way, past);
  if (!current && !session && revisions.length === 0) return;
  const { lastNumber, lastAt, spec } = past;
  const back = { current, session, revisions, lastNumber, lastAt };
  way.builder.fact({ type: 'VolumeReturned', volume: spec.key, ...back });
};
