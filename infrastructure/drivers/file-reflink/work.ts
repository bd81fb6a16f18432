import { join } from 'node:path';
import type { DiskId, Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Ran, RunOptions } from '../../process/run.ts';
import type { Job, Progress } from '../driver.port.ts';
import { solidWay } from './durable.ts';
import { type FileFacts, fileAt } from './identity.ts';
import { imageName } from './names.ts';

/** The descriptors that `-` stands for, and how long a fill waits for others to close its disk. */
export type Settings = { readonly stdin: number; readonly stdout: number; readonly patienceMs: number };

/** One deed being carried out. Every program runs through `run`, which keeps the evidence. */
export type Work = {
  readonly dir: string;
  readonly job: Job;
  readonly settings: Settings;
  readonly progress: Progress | undefined;
  readonly run: (argv: readonly [string, ...string[]], options?: RunOptions) => Promise<Ran>;
};

/** A disk that was found where it must be and is the one that was meant. */
export type Found = { readonly name: string; readonly path: string; readonly facts: FileFacts };

/** Looks at a place right before it is acted on; D_DRIFT unless exactly the disk with that id lies there. */
export const theDisk = async ({ dir }: Work, place: Place, id: DiskId): Promise<Result<Found, Failure>> => {
  const name = imageName(place.vid, place.role);
  const blocked = await solidWay(dir, name);
  if (blocked) return err(blocked);
  const path = join(dir, name);
  const facts = await fileAt(path);
  if (!facts) return err(failure('D_DRIFT', `${name} is not there`));
  if (facts.id !== id)
    return err(failure('D_DRIFT', `${name} is another disk (${facts.id}) than the one meant (${id})`));
  return ok({ name, path, facts });
};

/** At most two looks a second at what is allocated of the target. */
const GLANCE_MS = 500;

type Watched = { readonly target: string; readonly total: number };

const allocated = async (path: string): Promise<number> => (await fileAt(path).catch(() => null))?.usedBytes ?? 0;

/** Reports how much of `total` the target has allocated while a task runs, and all of it when the task is done. */
export const watched = async <T>(
  { progress }: Work,
  { target, total }: Watched,
  task: () => Promise<T>,
): Promise<T> => {
  if (!progress) return task();
  let running = true;
  const glance = async (): Promise<void> => {
    const done = Math.min(total, await allocated(target));
    if (running) progress(done, total);
  };
  const timer = setInterval(() => void glance(), GLANCE_MS);
  try {
    const value = await task();
    running = false;
    progress(total, total);
    return value;
  } finally {
    running = false;
    clearInterval(timer);
  }
};

/** Shares the blocks where the file system can, and never copies or allocates a hole. */
export const copyFile = (work: Work, from: string, to: string): Promise<Ran> =>
  work.run(['cp', '--reflink=auto', '--sparse=always', '--', from, to]);
