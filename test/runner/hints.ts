import type { Command } from '../../domain/decide.ts';
import { type Host, volumeOf } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import type { Hints } from './oracle.ts';

/** The state a command meets: the log's, and how large an LV is (undefined: there is none of that name). */
export type Met = { readonly host: Host; readonly bytesOf: (lv: string) => number | undefined };

/** Smaller than the disk, and not just the size that LVM rounded up when it was asked for before. */
const shrinks = ({ host, bytesOf }: Met, { name, payload }: Command): boolean => {
  if (name !== 'ResizeVolume') return false;
  const bytes = bytesOf(`vm-${payload.vm}-${payload.volume}`);
  const asked = volumeOf(host, `${payload.vm}:${payload.volume}` as VolumeKey)?.spec.bytes;
  return bytes !== undefined && payload.shrink && payload.bytes < bytes && payload.bytes !== asked;
};

/** Which revision a command means, counted from the oldest. */
export const hintsFor = (met: Met, { name, payload }: Command): Hints => {
  const key = 'vm' in payload && 'volume' in payload ? `${payload.vm}:${payload.volume}` : '';
  const revisions = [...(volumeOf(met.host, key as VolumeKey)?.revisions ?? [])].sort((a, b) => a.number - b.number);
  const id = 'revision' in payload ? payload.revision : null;
  const revision = id === null ? revisions.length - 1 : revisions.findIndex((one) => one.id === id);
  const file = 'from' in payload && payload.from.kind === 'file' ? `file ${payload.from.path}` : '';
  return { revision, file, shrinks: shrinks(met, { name, payload } as Command) };
};
