import type { Failure } from '../../../domain/failure.ts';
import { ok } from '../../../domain/result.ts';
import { run } from '../../process/run.ts';
import { type DeedHands, dispatch } from '../dispatch.ts';
import type { Acted, Job, Progress, VolumeDriver } from '../driver.port.ts';
import { placesOf } from '../places.ts';
import type { PoolName } from './argv.ts';
import { activate, create, erase, move, resize, scrap, snapshot } from './deeds.ts';
import { examinePool } from './examine.ts';
import { fill } from './fill.ts';
import { flushPhysical } from './flush.ts';
import { imageOf } from './image.ts';
import { lookAtPool, memoryOf, preparePool } from './look.ts';
import { mendPool } from './mend.ts';
import { devicePathOf, isVid, namedInLvm } from './names.ts';
import { read } from './read.ts';
import { refusalOf } from './refusal.ts';
import { usageOf } from './report.ts';
import { sharedLvm } from './share.ts';
import { releaseMetadata } from './thin-map.ts';
import { nameOf, recording, type Settings, type Work } from './work.ts';

const HANDS: DeedHands<Work, Promise<Failure | null>> = {
  activate,
  create,
  erase,
  fill,
  move,
  read,
  resize,
  snapshot,
};

const standard = (): Settings => {
  const uid = process.getuid?.() ?? 0;
  const lvm = sharedLvm(run);
  return { run, lvm, uid, stdin: 0, stdout: 1, patienceMs: 10_000, flush: flushPhysical({ run, uid }) };
};

/** What a disk has allocated is what a discard has to work through; how long that takes depends on the device below. */
export const SLOW_BYTES = 2 ** 30;

const SILENT: Progress = () => undefined;

/**
 * Disks as LVs of a thin pool, named as stock Qubes tools expect them, each tagged with the step that made it. Exit
 * codes and texts of LVM are evidence; what is there is told by `survey` alone.
 */
export const lvmThinDriver = (pool: PoolName, settings: Settings = standard()): VolumeDriver => {
  const memory = memoryOf(pool, settings);
  const attempt = async (
    job: Job,
    progress: Progress,
    work: (work: Work) => Promise<Failure | null>,
  ): Promise<Acted> => {
    const { program, lvm, evidence, changed } = recording(settings);
    const refused = refusalOf(job, pool.volumeGroup);
    const trouble = () => memory.usage()?.trouble;
    const acting: Work = { pool, settings, job, progress, lookup: memory.lookup, trouble, program, lvm };
    const failed = refused ?? (await work(acting));
    const unsure = changed() ? await settings.flush(pool) : null;
    return { evidence: evidence(), failure: failed ?? unsure };
  };
  return {
    nameOf,
    parseName: namedInLvm,
    pathOf: (place) => devicePathOf(nameOf(place)),
    survey: memory.survey,
    act: async (job, progress = SILENT) => {
      const acted = await attempt(job, progress, (work) => dispatch(HANDS, work, job.deed));
      memory.forget(
        placesOf(job.deed)
          .filter(({ vid }) => isVid(vid))
          .map(nameOf),
      );
      return acted;
    },
    scrap: async (sighting, job) => {
      const acted = await attempt(job, SILENT, (work) => scrap(work, sighting));
      memory.forget([sighting.name]);
      return acted;
    },
    erasesSlowly: ({ usedBytes }) => (usedBytes ?? 0) > SLOW_BYTES,
    examine: () => examinePool(pool, settings),
    mend: (wound, command) => mendPool(pool, settings, wound, command),
    // The tags stay: they cost nothing and tell who made a disk for as long as it exists.
    settle: () => Promise.resolve(),
    prepare: () => preparePool(pool, settings),
    image: (at, disk) => imageOf({ pool, lookup: memory.lookup, settings }, at, disk),
    releaseImages: () => releaseMetadata(pool, settings),
    seenUsage: memory.usage,
    usage: async () => {
      const report = await lookAtPool(pool, settings);
      return report.ok ? ok(usageOf(report.value)) : report;
    },
  };
};
