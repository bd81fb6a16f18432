import type { Found } from '../adoption/match.ts';
import { leftovers, NOTHING, type Sorted, take } from '../adoption/sort-out.ts';
import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import type { Volume } from '../volume/volume.ts';
import { drifted } from './chosen.ts';
import type { UnknownDisk } from './difference.ts';

const WHY = 'taken over later';

/** What the disk becomes where its name and the volume agree; null where its place is taken. */
const asState = ({ spec, situation, lastAt, lastNumber }: Volume, found: Found): Sorted | null => {
  const { as } = found;
  const free = situation.is === 'absent';
  if (as.kind === 'current' && free) return { ...NOTHING, current: take(found, WHY) };
  if (as.kind === 'session' && (free || situation.is === 'clean') && spec.rw)
    return { ...NOTHING, session: take(found, WHY) };
  if (as.kind !== 'revision' || as.at <= lastAt) return null;
  // A revision that is older than the newest has no number left: retention would take it for the newest.
  const number = as.number ?? lastNumber + 1;
  return number > lastNumber ? { ...NOTHING, revisions: [{ ...take(found, WHY), number, at: as.at }] } : null;
};

/** What a disk that the log does not keep can become in its volume, by its name. */
export const sortUnknown = (volume: Volume, { seen, pool }: UnknownDisk): Result<Sorted, Failure> => {
  const { situation, spec, revisions } = volume;
  const { named, name } = seen;
  if (!named || !seen.usable) return err(drifted(`${name} is no disk that could be taken over`));
  if (seen.open) return err(failure('D_DEVICE_IN_USE', `${name} is open`));
  const found = { disk: seen, as: named.as };
  const trash = leftovers([found]);
  if (trash.length > 0) return ok({ ...NOTHING, trash });
  if (!spec.saveOnStop || (situation.is === 'absent' && revisions.length === 0)) {
    const vm = spec.key.slice(0, spec.key.lastIndexOf(':'));
    return err(drifted(`${spec.key} has no disk yet`, `domtrail adopt --storage --pool ${pool} ${vm}`));
  }
  const sorted = asState(volume, found);
  return sorted
    ? ok(sorted)
    : err(drifted(`${name} can be none of the states of ${spec.key}, which is ${situation.is}`));
};
