import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DiskId } from '../../../domain/disk.ts';
import { sync } from '../sync.ts';
import { errorCode } from '../system-failure.ts';
import {
  HIDDEN,
  isLeavingOf,
  isTemporaryOf,
  markerName,
  markerTemporaryName,
  parseMarkerName,
  type StepKey,
} from './names.ts';

/**
 * What a step leaves beside the disks until its command is over. Each is durable before the thing it speaks of happens.
 * - made: the disk `id` is this step's, at first under `name`
 * - fill: the disk `id` is being filled; it has `bytes` bytes, whatever the file's length is at the moment
 * - read: `path` is a half-written copy outside the pool
 */
export type Marker =
  | { readonly what: 'made'; readonly id: DiskId; readonly name: string }
  | { readonly what: 'fill'; readonly id: DiskId; readonly bytes: number }
  | { readonly what: 'read'; readonly path: string };

export type Marked = { readonly by: StepKey; readonly marker: Marker };

export const writeMarker = async (dir: string, step: StepKey, marker: Marker): Promise<void> => {
  const temporary = join(dir, markerTemporaryName(step, process.pid));
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(marker)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(dir, markerName(step)));
  await sync(join(dir, HIDDEN));
};

/** Durable, because a fill's marker that came back after a power cut would belie a later resize. */
export const removeMarker = async (dir: string, step: StepKey): Promise<void> => {
  await rm(join(dir, markerName(step)), { force: true });
  await sync(join(dir, HIDDEN));
};

const parseMarker = (text: string): Marker | null => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { what, id, name, bytes, path } = value as Readonly<Record<string, unknown>>;
  if (what === 'read' && typeof path === 'string') return { what, path };
  if (typeof id !== 'string') return null;
  if (what === 'made' && typeof name === 'string') return { what, id: id as DiskId, name };
  return what === 'fill' && typeof bytes === 'number' ? { what, id: id as DiskId, bytes } : null;
};

/** The marker of a step; null when it left none or the file holds something else. */
export const readMarker = async (dir: string, step: StepKey): Promise<Marker | null> => {
  try {
    return parseMarker(await readFile(join(dir, markerName(step)), 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
};

/** Every marker among the files of the hidden directory. Those of finished commands may be settled at any time. */
export const readMarkers = async (dir: string, files: readonly string[]): Promise<readonly Marked[]> => {
  const found: Marked[] = [];
  for (const file of files) {
    const by = parseMarkerName(file);
    const marker = by && (await readMarker(dir, by));
    if (by && marker) found.push({ by, marker });
  }
  return found;
};

export const removeTemporaries = async (dir: string, step: StepKey): Promise<void> => {
  for (const file of await readdir(join(dir, HIDDEN))) {
    if (isTemporaryOf(file, step)) await rm(join(dir, HIDDEN, file), { force: true });
  }
};

/** The end of the name of a copy that is being written outside the pool; `settle` removes nothing without it. */
export const outsideSuffix = (command: string): string => `.domtrail-${command}.tmp`;

/** Removes what the steps of a command left beside the disks; the disks stay. */
export const settle = async (dir: string, command: string): Promise<void> => {
  const files = await readdir(join(dir, HIDDEN)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const leavings = files.filter((file) => isLeavingOf(file, command));
  for (const { marker } of await readMarkers(dir, leavings)) {
    if (marker.what === 'read' && basename(marker.path).endsWith(outsideSuffix(command))) {
      await rm(marker.path, { force: true });
    }
  }
  for (const file of leavings) await rm(join(dir, HIDDEN, file), { force: true });
};
