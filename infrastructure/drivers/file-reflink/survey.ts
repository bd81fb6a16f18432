import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Sighting } from '../driver.port.ts';
import { errorCode, failureOf } from '../system-failure.ts';
import { type FileFacts, fileAt } from './identity.ts';
import { readMarkers } from './markers.ts';
import { HIDDEN, looksLikeImage, PREFIXES, parseImageName, type StepKey } from './names.ts';
import { openBelow } from './open-files.ts';

/** Names of real directories below a path; symlinks are not followed. */
const directoriesIn = async (path: string): Promise<readonly string[]> =>
  (await entriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const filesIn = async (path: string): Promise<readonly string[]> =>
  (await entriesOf(path)).filter((entry) => entry.isFile()).map(({ name }) => name);

/** A VM's directory may go while we walk; the pool's own were checked before. */
const entriesOf = async (path: string) => {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
};

/** Relative paths of all disks in the VMs' directories. */
const imagesOfVms = async (dir: string): Promise<readonly string[]> => {
  const places = await Promise.all(
    PREFIXES.map(async (prefix) => (await directoriesIn(join(dir, prefix))).map((vm) => `${prefix}/${vm}`)),
  );
  const names = await Promise.all(
    places
      .flat()
      .map(async (place) => (await filesIn(join(dir, place))).filter(looksLikeImage).map((file) => `${place}/${file}`)),
  );
  return names.flat();
};

type Notes = { readonly madeBy: ReadonlyMap<DiskId, StepKey>; readonly filling: ReadonlyMap<DiskId, number> };

const notesIn = async (dir: string, hidden: readonly string[]): Promise<Notes> => {
  const madeBy = new Map<DiskId, StepKey>();
  const filling = new Map<DiskId, number>();
  for (const { by, marker } of await readMarkers(dir, hidden)) {
    if (marker.what === 'made') madeBy.set(marker.id, by);
    if (marker.what === 'fill') filling.set(marker.id, marker.bytes);
  }
  return { madeBy, filling };
};

type Seen = {
  readonly name: string;
  readonly facts: FileFacts;
  readonly notes: Notes;
  readonly held: () => ReadonlyMap<string, string>;
};

const sightingOf = ({ name, facts, notes, held }: Seen): Sighting => ({
  id: facts.id,
  name,
  bytes: notes.filling.get(facts.id) ?? facts.bytes,
  usedBytes: facts.usedBytes,
  madeBy: notes.madeBy.get(facts.id) ?? null,
  origin: null,
  usable: true,
  active: true,
  writtenAt: facts.writtenAt,
  // Looking through /proc costs more than the rest of the survey, so it is done once and only when somebody asks.
  get open() {
    return held().has(facts.inode);
  },
});

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/**
 * Without the hidden directory this is not the pool that was prepared, most likely because its file system is not
 * mounted: an empty answer would make every disk look lost.
 */
const unprepared = (dir: string): Failure =>
  failure('D_NOT_FOUND', `the pool directory ${dir} is missing or empty`, {
    cause: 'its file system may not be mounted',
  });

/** Every disk of the pool, ours and others'. A pool that was never prepared may lack the hidden directory. Symlinks are not followed and not shown. */
export const surveyPool = async (
  dir: string,
  state: 'prepared' | 'not yet prepared' = 'prepared',
): Promise<Result<readonly Sighting[], Failure>> => {
  try {
    const hidden = await filesIn(join(dir, HIDDEN));
    if (state === 'prepared' && hidden.length === 0 && !(await directoriesIn(dir)).includes(HIDDEN))
      return err(unprepared(dir));
    const notes = await notesIn(dir, hidden);
    const ours = hidden.map((file) => `${HIDDEN}/${file}`).filter((name) => parseImageName(name));
    const real = await realpath(dir);
    const held = once(() => openBelow(real));
    const seen = await Promise.all(
      [...(await imagesOfVms(dir)), ...ours].map(async (name) => {
        const facts = await fileAt(join(dir, name));
        return facts && sightingOf({ name, facts, notes, held });
      }),
    );
    return ok(seen.filter((sighting) => sighting !== null));
  } catch (error) {
    return err(failureOf(error, `the pool directory ${dir} cannot be read`));
  }
};
