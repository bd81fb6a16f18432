import type { SeenDisk } from '../adoption/seen.ts';
import { formatBytes } from '../bytes.ts';
import type { Disk, Place } from '../disk.ts';

/** A disk the log speaks of, where it must lie, and how its driver calls that place. `object`: the volume it is or was of. */
export type Expected = {
  readonly object: string;
  readonly kind: 'volume' | 'trash';
  readonly disk: Disk;
  readonly place: Place;
  readonly name: string;
};

/**
 * How a pool differs from the log, one disk at a time:
 * - gone: it is nowhere, and nothing has its name · renamed: it has another name, and nothing has its own
 * - replaced: another disk (`there`) has its name; `seen` is where it is itself, if anywhere
 * - resized · unusable: it is where it must be, with another size, or LVM lists it only
 * - unknown: a disk that the log does not keep, with our marks or under a name of one of its volumes (`object`)
 */
export type DiskDifference =
  | { readonly is: 'gone'; readonly expected: Expected }
  | { readonly is: 'renamed'; readonly expected: Expected; readonly seen: SeenDisk }
  | { readonly is: 'resized'; readonly expected: Expected; readonly seen: SeenDisk }
  | { readonly is: 'unusable'; readonly expected: Expected; readonly seen: SeenDisk }
  | {
      readonly is: 'replaced';
      readonly expected: Expected;
      readonly there: SeenDisk;
      readonly seen: SeenDisk | null;
    }
  | {
      readonly is: 'unknown';
      readonly pool: string;
      readonly object: string | null;
      readonly seen: SeenDisk;
      /** the command whose marks it has */
      readonly madeBy: string | null;
    };

/** Those that are about a disk the log lists. */
export type ListedDifference = Exclude<DiskDifference, { is: 'unknown' }>;
export type UnknownDisk = Extract<DiskDifference, { is: 'unknown' }>;

/** What is not as the log says, in one sentence. */
export const problemOf = (difference: DiskDifference): string => {
  switch (difference.is) {
    case 'gone':
      return `its disk ${difference.expected.disk.id} is gone`;
    case 'renamed':
      return `its disk ${difference.expected.disk.id} is now called ${difference.seen.name}`;
    case 'replaced': {
      const { expected, there, seen } = difference;
      if (!seen) return `another disk (${there.id}) has its name; ${expected.disk.id} is gone`;
      return `its disk ${expected.disk.id} is now called ${seen.name}; another disk (${there.id}) has its name`;
    }
    case 'resized': {
      const { expected, seen } = difference;
      return `it has ${formatBytes(seen.bytes)} (${seen.bytes} bytes), the log says ${formatBytes(expected.disk.bytes)} (${expected.disk.bytes})`;
    }
    case 'unusable':
      return 'it is listed but cannot be activated';
    case 'unknown':
      return difference.madeBy === null
        ? `the log knows nothing of it, and it has a name of ${difference.object}`
        : `made by cmd:${difference.madeBy}, which the log does not keep`;
  }
};

/** The name a difference is called by: that of the disk the log expects, else of the one it does not know. */
export const nameOf = (difference: DiskDifference): string =>
  difference.is === 'unknown' ? difference.seen.name : difference.expected.name;

/** The volume a difference is about, where there is one. */
export const objectOf = (difference: DiskDifference): string | null =>
  difference.is === 'unknown' ? difference.object : difference.expected.object;
