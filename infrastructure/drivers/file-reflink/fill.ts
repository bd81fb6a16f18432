import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { formatBytes } from '../../../domain/bytes.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { DeedOf } from '../dispatch.ts';
import { stampText } from '../stamp.ts';
import { streamed } from '../streamed.ts';
import { errorCode, failureOf, failureOfRun } from '../system-failure.ts';
import { readMarker, removeMarker, writeMarker } from './markers.ts';
import { openBelow } from './open-files.ts';
import { copyFile, type Found, theDisk, type Work, watched } from './work.ts';

type FileSource = Extract<DeedOf<'fill'>['from'], { readonly kind: 'file' }>;
type StdinSource = Extract<DeedOf<'fill'>['from'], { readonly kind: 'stdin' }>;

type StreamSource = Extract<DeedOf<'fill'>['from'], { readonly kind: 'stream' }>;

/** The disk to fill, with the size it has and keeps. */
type Target = { readonly path: string; readonly name: string; readonly bytes: number };

const BLOCK = 512;

const tooMuch = (name: string, bytes: number): Failure =>
  failure('D_TOO_MUCH_DATA', `there is more data than fits into ${name} (${formatBytes(bytes)})`);

/** Compares the source with what the plan was made for. A device has no size of its own; a plan knows it. */
const sourceFailure = async ({ path, bytes, stamp }: FileSource): Promise<Failure | null> => {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isBlockDevice()) return null;
    if (!stats.isFile()) return failure('D_BAD_INPUT', `${path} is neither a file nor a block device`);
    if (Number(stats.size) === bytes && (stamp === null || stampText(stats) === stamp)) return null;
    return failure('D_INPUT_CHANGED', `${path} has changed since the command was planned`, { next: 'import it again' });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return failure('D_INPUT_CHANGED', `${path} is gone`);
    return failureOf(error, `${path} cannot be looked at`);
  }
};

const fromFile = async (work: Work, { path, name, bytes }: Target, source: FileSource): Promise<Failure | null> => {
  const stats = await stat(source.path);
  const total = stats.isFile() ? stats.blocks * BLOCK : source.bytes;
  const ran = await watched(work, { target: path, total }, () => copyFile(work, source.path, path));
  const failed = failureOfRun(ran, `${source.path} could not be copied to ${name}`) ?? (await sourceFailure(source));
  if (failed) return failed;
  return (await stat(path)).size > bytes ? tooMuch(name, bytes) : null;
};

/** One byte more than allowed is asked for: whether it came tells "just enough" from "too much". */
const fromStdin = async (work: Work, { path, name }: Target, { limit }: StdinSource): Promise<Failure | null> => {
  const dd = () =>
    work.run(
      [
        'dd',
        `of=${path}`,
        'bs=128K',
        'iflag=fullblock,count_bytes',
        `count=${limit + 1}`,
        'conv=sparse,nocreat,notrunc',
      ],
      { stdin: work.settings.stdin },
    );
  const ran = await watched(work, { target: path, total: limit }, dd);
  const failed = failureOfRun(ran, `standard input could not be copied to ${name}`);
  if (failed) return failed;
  const moved = /^(\d+) bytes?\b/m.exec(ran.evidence.stderr)?.[1];
  if (moved === undefined)
    return failure('D_STEP_FAILED', 'dd did not say how much it copied', { cause: ran.evidence.stderr });
  return Number(moved) > limit ? tooMuch(name, limit) : null;
};

const fromStream = async (work: Work, { path, name }: Target, source: StreamSource): Promise<Failure | null> => {
  const { pieces, failure: broken } = streamed(source.open);
  const dd = () =>
    work.run(['dd', `of=${path}`, 'bs=128K', 'iflag=fullblock', 'conv=sparse,nocreat,notrunc'], { feed: pieces });
  const ran = await watched(work, { target: path, total: source.bytes }, dd);
  return broken() ?? failureOfRun(ran, `the data could not be copied to ${name}`);
};

const copied = (work: Work, target: Target, from: DeedOf<'fill'>['from']): Promise<Failure | null> => {
  switch (from.kind) {
    case 'file':
      return fromFile(work, target, from);
    case 'stdin':
      return fromStdin(work, target, from);
    case 'stream':
      return fromStream(work, target, from);
  }
};

/** Gives the file its size and nothing but zeros after `keep` bytes. The file itself, and so its identity, stays. */
const cut = async (path: string, keep: number | null, bytes: number): Promise<void> => {
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    if (keep !== null) await handle.truncate(keep);
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const PAUSE_MS = 100;

/**
 * Waits for others to close the disk; gives who still has it open when patience ends. A process that was killed leaves
 * its `cp` or `dd` behind, which goes on writing and must not write into what we are about to put there.
 */
const stillHeld = async ({ dir, settings }: Work, { facts }: Found): Promise<string | null> => {
  const real = await realpath(dir);
  for (const deadline = Date.now() + settings.patienceMs; ; ) {
    const holder = openBelow(real).get(facts.inode) ?? null;
    if (holder === null || Date.now() >= deadline) return holder;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
};

const contentFailure = async (from: DeedOf<'fill'>['from'], name: string, bytes: number): Promise<Failure | null> => {
  if (from.kind === 'stdin') return null;
  if (from.bytes > bytes) return tooMuch(name, bytes);
  return from.kind === 'file' ? sourceFailure(from) : null;
};

/**
 * Replaces a disk's whole content. The file's length goes to zero and back meanwhile; the marker remembers it, so that
 * neither a survey nor the next attempt takes a half-filled disk for a smaller one. If we die at any point the content
 * is undefined until the step has been repeated: only disks that nobody uses yet are filled.
 */
export const fill = async (work: Work, { disk, at, from }: DeedOf<'fill'>): Promise<Failure | null> => {
  const found = await theDisk(work, at, disk);
  if (!found.ok) return found.error;
  const { path, name, facts } = found.value;
  const marker = await readMarker(work.dir, work.job);
  const bytes = marker?.what === 'fill' && marker.id === disk ? marker.bytes : facts.bytes;
  const refused = await contentFailure(from, name, bytes);
  if (refused) return refused;
  const holder = await stillHeld(work, found.value);
  if (holder) return failure('D_DEVICE_IN_USE', `${name} is open in ${holder}`);
  await writeMarker(work.dir, work.job, { what: 'fill', id: disk, bytes });
  await cut(path, 0, bytes);
  const target: Target = { path, name, bytes };
  const failed = await copied(work, target, from);
  // After a failure the disk is empty again: half of the data helps nobody and may fill the file system.
  await cut(path, failed ? 0 : null, bytes);
  await removeMarker(work.dir, work.job);
  return failed;
};
