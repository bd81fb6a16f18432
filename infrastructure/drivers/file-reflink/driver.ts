import { join } from 'node:path';
import type { Evidence } from '../../../domain/command/events.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { FileReflinkPool } from '../../../domain/pool/pool.ts';
import { ok } from '../../../domain/result.ts';
import { run } from '../../process/run.ts';
import { type DeedHands, dispatch } from '../dispatch.ts';
import type { Acted, Job, VolumeDriver } from '../driver.port.ts';
import { placesOf } from '../places.ts';
import { refusedAnywhere } from '../refusal.ts';
import { failureOf } from '../system-failure.ts';
import { activate, erase, move, resize } from './change.ts';
import { fill } from './fill.ts';
import { imageIn } from './image.ts';
import { create, snapshot } from './make.ts';
import { settle } from './markers.ts';
import { imageName, isVid, namedInFiles } from './names.ts';
import { preparePool, usageOf } from './prepare.ts';
import { read } from './read.ts';
import { surveyPool } from './survey.ts';
import type { Settings, Work } from './work.ts';

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

/** The last line of defence: both end up in paths. */
const unsafe = (job: Job): Failure | null => {
  const refused = refusedAnywhere(job);
  if (refused) return refused;
  const wrong = placesOf(job.deed).find(({ vid }) => !isVid(vid));
  return wrong ? failure('D_DRIVER_REFUSES', `${JSON.stringify(wrong.vid)} cannot be a volume of a file pool`) : null;
};

const evidenceOf = (programs: readonly Evidence[], started: number): Evidence => ({
  argv: programs.flatMap(({ argv }) => argv),
  exitCode: programs.at(-1)?.exitCode ?? null,
  stderr: programs.map(({ stderr }) => stderr).join(''),
  durationMs: Math.round(performance.now() - started),
});

type Attempt = Omit<Work, 'run'>;

const attempt = async ({ dir, job, settings, progress }: Attempt): Promise<Acted> => {
  const started = performance.now();
  const programs: Evidence[] = [];
  const work: Work = {
    dir,
    job,
    settings,
    progress,
    run: async (argv, options) => {
      const ran = await run(argv, options);
      programs.push(ran.evidence);
      return ran;
    },
  };
  const failed = await (async () => unsafe(job) ?? (await dispatch(HANDS, work, job.deed)))().catch((error: unknown) =>
    failureOf(error, `${job.deed.do} failed in the pool directory ${dir}`),
  );
  return { evidence: evidenceOf(programs, started), failure: failed };
};

const NOTHING_RAN: Evidence = { argv: [], exitCode: null, stderr: '', durationMs: 0 };

const STANDARD: Settings = { stdin: 0, stdout: 1, patienceMs: 10_000 };

/**
 * Disks as plain files, laid out as the stock file-reflink driver does it. Needs no root. Blocks are shared where the
 * file system can (btrfs, xfs); elsewhere a snapshot is a sparse copy.
 */
export const fileReflinkDriver = (
  { dir }: Pick<FileReflinkPool, 'dir'>,
  settings: Settings = STANDARD,
): VolumeDriver => {
  const nameOf: VolumeDriver['nameOf'] = ({ vid, role }) => imageName(vid, role);
  return {
    nameOf,
    parseName: namedInFiles,
    pathOf: (place) => join(dir, nameOf(place)),
    survey: () => surveyPool(dir),
    firstSurvey: () => surveyPool(dir, 'not yet prepared'),
    act: (job, progress) => attempt({ dir, job, settings, progress }),
    // A file appears under its name only when it is complete, so there is never one to scrap.
    scrap: async ({ name }) => ({
      evidence: NOTHING_RAN,
      failure: failure('D_DRIVER_REFUSES', `${name} is complete: files are never half made`),
    }),
    examine: async () => ok([]),
    mend: async () => ({
      evidence: NOTHING_RAN,
      failure: failure('D_DRIVER_REFUSES', 'a directory of files has nothing to mend'),
    }),
    settle: (command) => settle(dir, command),
    prepare: () => preparePool(dir),
    usage: () => usageOf(dir),
    image: (at, disk) => imageIn(dir, at, disk),
  };
};
