import { type DiskDifference, nameOf } from './difference.ts';

/** What makes a disk's difference this one and no other: when any of it changes, an answer to it no longer counts. */
export const fingerprintOf = (difference: DiskDifference): string => {
  const parts: (string | number | null)[] = [difference.is, nameOf(difference)];
  if (difference.is !== 'unknown') parts.push(difference.expected.disk.id);
  if ('there' in difference) parts.push(difference.there.id, difference.there.bytes);
  if ('seen' in difference && difference.seen)
    parts.push(difference.seen.id, difference.seen.name, difference.seen.bytes);
  return JSON.stringify(parts);
};
