import type { Failure } from '../failure.ts';
import type { Pool } from '../pool/pool.ts';
import { ok, type Result } from '../result.ts';
import { parseWhole } from '../vm/property-values.ts';
import type { VolumeSpec } from '../volume/volume.ts';
import { quoted, refuse, type VolumeConfig } from './draft.ts';
import type { Source } from './shelf.ts';

/** `True` and `False` are truth values; any other text is true when it is not empty, and is written back as it was. */
const truthy = (config: VolumeConfig, name: string): boolean => {
  const text = config.get(name) ?? '';
  return text !== 'False' && text !== '';
};

const FLAGS = ['rw', 'save_on_stop', 'snap_on_start', 'ephemeral'] as const;

export const oddlyWritten = (config: VolumeConfig): Readonly<Record<string, string>> =>
  Object.fromEntries(
    FLAGS.flatMap((name) => {
      const text = config.get(name);
      return text === undefined || text === null || text === 'True' || text === 'False' ? [] : [[name, text]];
    }),
  );

/** Python counts True as 1. */
const number = (text: string): number | null => parseWhole(text === 'True' ? '1' : text === 'False' ? '0' : text);

export const KNOWN = [
  'name',
  'pool',
  'vid',
  'revisions_to_keep',
  'rw',
  'save_on_stop',
  'snap_on_start',
  'size',
  'source',
  'ephemeral',
];

/** Attributes that stock overwrites or throws away, and so never complains about. */
export const IGNORED: Readonly<Record<Pool['driver'], readonly string[]>> = {
  lvm_thin: ['internal', 'volume_group'],
  file: ['internal', 'dir_path'],
  'file-reflink': ['internal'],
  'linux-kernel': ['internal'],
};

type Shape = Pick<VolumeSpec, 'rw' | 'snapOnStart' | 'saveOnStop' | 'revisionsToKeep' | 'bytes'>;

const kernelShape = (where: string, config: VolumeConfig, shape: Shape, hasSource: boolean): Result<Shape, Failure> => {
  if (shape.rw || !config.has('rw')) return refuse(where, 'a volume in a linux-kernel pool cannot be written to');
  if (shape.saveOnStop) return refuse(where, 'a linux-kernel pool saves nothing on stop');
  if (shape.revisionsToKeep !== 0) return refuse(where, 'a linux-kernel pool keeps no revisions');
  // Old documents said that a kernel is a snapshot of nothing.
  return ok(hasSource ? shape : { ...shape, snapOnStart: false });
};

const keepOf = (pool: Pool, config: VolumeConfig, saveOnStop: boolean): number | null => {
  if (pool.driver === 'file' && !saveOnStop) return 0;
  const text = config.get('revisions_to_keep');
  if (text !== undefined && text !== null) return number(text);
  if (pool.driver === 'linux-kernel') return 0;
  return pool.revisionsText === undefined ? pool.revisionsToKeep : parseWhole(pool.revisionsText);
};

const fitsFile = ({ snapOnStart, saveOnStop, revisionsToKeep }: Shape): boolean =>
  !(snapOnStart && saveOnStop) && revisionsToKeep <= 1 && revisionsToKeep >= -1;

export const shapeOf = (where: string, pool: Pool, config: VolumeConfig, source: Source | null) => {
  const rw = truthy(config, 'rw');
  const snapOnStart = truthy(config, 'snap_on_start');
  const saveOnStop = truthy(config, 'save_on_stop');
  const bytes = number(config.get('size') ?? '0');
  const revisionsToKeep = keepOf(pool, config, saveOnStop);
  if (bytes === null) return refuse(where, `size ${quoted(config.get('size') ?? null)} is no number`);
  if (revisionsToKeep === null) return refuse(where, 'revisions_to_keep is no number');
  const shape: Shape = { rw, snapOnStart, saveOnStop, revisionsToKeep, bytes };
  if (pool.driver === 'file' && !fitsFile(shape)) return refuse(where, 'the driver file cannot do that');
  const fit = pool.driver === 'linux-kernel' ? kernelShape(where, config, shape, source !== null) : ok(shape);
  if (!fit.ok) return fit;
  if (fit.value.snapOnStart && !source) return refuse(where, 'it has snap_on_start but no source');
  return !fit.value.snapOnStart && source ? refuse(where, 'it has a source but no snap_on_start') : fit;
};

export const ephemeralOf = (config: VolumeConfig): boolean | null =>
  config.has('ephemeral') ? truthy(config, 'ephemeral') : null;
