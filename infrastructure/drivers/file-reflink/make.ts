import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { DeedOf } from '../dispatch.ts';
import { sync } from '../sync.ts';
import { failureOfRun } from '../system-failure.ts';
import { relocate, solidWay } from './durable.ts';
import { factsOf, fileAt, lookAt } from './identity.ts';
import { readMarker, removeTemporaries, writeMarker } from './markers.ts';
import { imageName, temporaryName } from './names.ts';
import { copyFile, theDisk, type Work, watched } from './work.ts';

/** An empty file nobody else can read. Fails when it exists. */
const makeEmpty = async (path: string, bytes: number): Promise<void> => {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
};

/** What to answer when something lies at the target: nothing to do for our own earlier attempt, a refusal otherwise. */
const taken = async ({ dir, job }: Work, name: string): Promise<{ readonly answer: Failure | null } | null> => {
  const stats = await lookAt(join(dir, name));
  if (!stats) return null;
  const marker = await readMarker(dir, job);
  if (stats.isFile() && marker?.what === 'made' && marker.id === factsOf(stats).id) return { answer: null };
  return { answer: failure('D_EXISTS', `${name} exists already`) };
};

type Filler = (temporary: string) => Promise<Failure | null>;

/**
 * Builds a file out of sight and gives it its name when it is complete. What is there if we die:
 * 1. before the marker: a temporary that the next attempt or `settle` removes
 * 2. between marker and rename: the same, and a marker for a disk that never appeared
 * 3. after the rename: the disk, and a marker that says whose it is
 */
const build = async (work: Work, at: Place, filler: Filler): Promise<Failure | null> => {
  const { dir, job } = work;
  const name = imageName(at.vid, at.role);
  const blocked = await solidWay(dir, name);
  if (blocked) return blocked;
  const there = await taken(work, name);
  if (there) return there.answer;
  await removeTemporaries(dir, job);
  const temporary = temporaryName(job, process.pid);
  try {
    const failed = await filler(join(dir, temporary));
    if (failed) return failed;
    await sync(join(dir, temporary));
    const file = await fileAt(join(dir, temporary));
    if (!file) return failure('D_DRIFT', `${temporary} vanished while it was being made`);
    await writeMarker(dir, job, { what: 'made', id: file.id, name });
    // The copy may have taken minutes: a file that somebody put here meanwhile is not overwritten.
    const meanwhile = await taken(work, name);
    if (meanwhile) return meanwhile.answer;
    await relocate(dir, temporary, name);
    return null;
  } finally {
    await rm(join(dir, temporary), { force: true });
  }
};

/** A file of zeros that takes no space. */
export const create = (work: Work, { at, bytes }: DeedOf<'create'>): Promise<Failure | null> =>
  build(work, at, async (temporary) => {
    await makeEmpty(temporary, bytes);
    return null;
  });

/** A copy of a disk as it is now; the two share no later change. */
export const snapshot = async (work: Work, { of, from, at }: DeedOf<'snapshot'>): Promise<Failure | null> => {
  const source = await theDisk(work, from, of);
  if (!source.ok) return source.error;
  const { path, facts, name } = source.value;
  return build(work, at, async (temporary) => {
    await makeEmpty(temporary, 0);
    const copying = () => copyFile(work, path, temporary);
    const ran = await watched(work, { target: temporary, total: facts.usedBytes }, copying);
    const failed = failureOfRun(ran, `${name} could not be copied`);
    if (failed) return failed;
    const copy = await fileAt(temporary);
    return copy?.bytes === facts.bytes
      ? null
      : failure('D_STEP_FAILED', `${name} changed its size while it was being copied`);
  });
};
