import { type Failure, failure } from '../failure.ts';
import { err, ok, type Result } from '../result.ts';
import { CURRENT, DIRECT, overRetention, type Planning, placeOf, retire, SCRATCH, SESSION } from './swap.ts';
import { currentOf, snapshotsDisabled, type Volume } from './volume.ts';

const openSnapshot = (volume: Volume, of: Volume, { builder }: Planning): Result<null, Failure> => {
  const { key } = volume.spec;
  const origin = currentOf(of);
  if (!origin) {
    const message = `${key} starts from ${of.spec.key}, which has no committed disk`;
    return err(failure('D_SOURCE_INVALID', message, { next: `domtrail volume info ${of.spec.key}` }));
  }
  if (of.situation.is === 'direct') {
    return err(failure('D_SOURCE_INVALID', `${of.spec.key} is being written to without snapshots: stop its VM first`));
  }
  const made = builder.main(key, {
    do: 'snapshot',
    of: { id: origin.id },
    from: placeOf(of, CURRENT),
    at: placeOf(volume, SESSION),
  });
  builder.fact({ type: 'SessionOpened', volume: key, session: { disk: { madeBy: made }, origin: origin.id } });
  return ok(null);
};

const resumeSession = (volume: Volume, { builder }: Planning): Result<null, Failure> => {
  const { situation, spec } = volume;
  if (situation.is !== 'dirty') throw new Error(`${spec.key} has no session to resume`);
  builder.main(spec.key, { do: 'activate', disk: { id: situation.session.disk.id }, at: placeOf(volume, SESSION) });
  builder.fact({ type: 'SessionResumed', volume: spec.key });
  return ok(null);
};

/** revisions_to_keep = -1: the VM gets the committed disk itself, and older states go (stock does the same). */
const openDirect = (volume: Volume, planning: Planning): Result<null, Failure> => {
  const current = currentOf(volume);
  const { key } = volume.spec;
  if (!current) return err(failure('D_NOTHING_COMMITTED', `${key} has no committed disk`));
  const from = placeOf(volume, CURRENT);
  planning.builder.main(key, { do: 'move', disk: { id: current.id }, from, to: placeOf(volume, DIRECT) });
  planning.builder.fact({ type: 'DirectOpened', volume: key });
  for (const revision of overRetention(volume, 0)) retire(volume, revision, planning);
  return ok(null);
};

const openScratch = (volume: Volume, { builder }: Planning): Result<null, Failure> => {
  const { key, bytes } = volume.spec;
  const made = builder.main(key, { do: 'create', at: placeOf(volume, SCRATCH), bytes });
  builder.fact({ type: 'ScratchOpened', volume: key, disk: { madeBy: made } });
  return ok(null);
};

/** What a start needs, straight from the two flags (spec: storage 1.5). `source` is the volume to start from, if any. */
export const planStart = (volume: Volume, source: Volume | null, planning: Planning): Result<null, Failure> => {
  const { snapOnStart, saveOnStop, key } = volume.spec;
  if (planning.pool.driver === 'linux-kernel') return ok(null);
  if (saveOnStop && volume.situation.is === 'dirty') return resumeSession(volume, planning);
  if (snapOnStart) {
    return source
      ? openSnapshot(volume, source, planning)
      : err(failure('D_SOURCE_INVALID', `the source of ${key} does not exist`));
  }
  if (!saveOnStop) return openScratch(volume, planning);
  return snapshotsDisabled(volume.spec) ? openDirect(volume, planning) : openSnapshot(volume, volume, planning);
};
