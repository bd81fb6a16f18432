import type { Failure } from '../failure.ts';
import type { Label } from '../host/events.ts';
import type { PoolName } from '../names.ts';
import type { Pool } from '../pool/pool.ts';
import { DEFAULT_REVISIONS_TO_KEEP } from '../pool/pool.ts';
import { ok, type Result } from '../result.ts';
import { parseBool, parseWhole } from '../vm/property-values.ts';
import type { Document } from './commands.ts';
import { type Loaded, type Loading, quoted, refuse } from './draft.ts';
import { normalPath } from './normal-path.ts';
import { hasControls } from './text-rules.ts';

/** A grey of Qubes 3 that was green; stock mends the first label that has it. */
const OLD_GREY = '0x555753';
const GREY = '0x555555';

/** Stage 1a. A number given twice: the last label counts. */
export const loadLabels = (loading: Loading, { labels }: Document): Loaded => {
  const byIndex = new Map<number, Label>();
  const migrated = labels.find(({ color }) => color === OLD_GREY);
  for (const label of labels) {
    const dash = label.id?.indexOf('-') ?? -1;
    const index = dash < 0 ? null : parseWhole((label.id ?? '').slice(dash + 1));
    if (index === null) return refuse('labels', `${quoted(label.id)} is no id of a label (label-N)`);
    if (label.text === null || label.color === null) return refuse(`label-${index}`, 'it needs a name and a color');
    const color = label === migrated ? GREY : label.color;
    byIndex.set(index, { index, color, name: label.text });
  }
  loading.host.site = { labels: [...byIndex.values()], properties: {} };
  return ok(null);
};

type Attributes = Readonly<Record<string, string>>;

const KEEPING = ['revisions_to_keep', 'ephemeral_volatile'];

/** What each driver takes besides its name: needed ones first. */
const TAKES: Readonly<Record<string, { readonly needed: readonly string[]; readonly more: readonly string[] }>> = {
  lvm_thin: { needed: ['volume_group', 'thin_pool'], more: KEEPING },
  'file-reflink': { needed: ['dir_path'], more: [...KEEPING, 'setup_check'] },
  file: { needed: ['dir_path'], more: KEEPING },
  'linux-kernel': { needed: ['dir_path'], more: [] },
};

type Keeping = Pick<Extract<Pool, { driver: 'lvm_thin' }>, 'revisionsToKeep' | 'revisionsText' | 'ephemeralVolatile'>;

/** parse_bool of stock, which knows fewer words than its property setters. */
const poolBool = (text: string | undefined): boolean | null => {
  if (text === undefined || ['False', '0', 'off', ''].includes(text)) return false;
  return ['True', '1', 'on'].includes(text) ? true : null;
};

const keepingOf = (where: string, attributes: Attributes): Result<Keeping, Failure> => {
  const ephemeralVolatile = poolBool(attributes['ephemeral_volatile']);
  if (ephemeralVolatile === null)
    return refuse(where, `ephemeral_volatile is ${quoted(attributes['ephemeral_volatile'] ?? '')}`);
  const text = attributes['revisions_to_keep'] ?? `${DEFAULT_REVISIONS_TO_KEEP}`;
  // Stock looks at the number only when a volume needs it, and writes the text back as it was.
  const revisionsToKeep = parseWhole(text) ?? Number.NaN;
  const keeps = Number.isNaN(revisionsToKeep) ? DEFAULT_REVISIONS_TO_KEEP : revisionsToKeep;
  if (`${revisionsToKeep}` === text) return ok({ revisionsToKeep: keeps, ephemeralVolatile });
  return ok({ revisionsToKeep: keeps, revisionsText: text, ephemeralVolatile });
};

const filePool = (where: string, dir: string, keeping: Keeping, name: PoolName) => {
  const revisionsToKeep =
    keeping.revisionsText === undefined ? keeping.revisionsToKeep : parseWhole(keeping.revisionsText);
  if (revisionsToKeep === null || revisionsToKeep > 1)
    return refuse(where, 'the driver file keeps one revision at most');
  const { ephemeralVolatile } = keeping;
  return ok({ driver: 'file', name, dir, revisionsToKeep, ephemeralVolatile } as const);
};

const dirOf = (where: string, text: string) => {
  const dir = normalPath(text);
  if (dir === null) return refuse(where, `dir_path ${quoted(text)} is no absolute path`);
  return hasControls(dir) ? refuse(where, 'dir_path holds control characters') : ok(dir);
};

const lvmPool = (where: string, attributes: Attributes, keeping: Keeping, name: PoolName) => {
  const { volume_group: volumeGroup = '', thin_pool: thinPool = '' } = attributes;
  if (hasControls(volumeGroup) || hasControls(thinPool)) return refuse(where, 'an LVM name holds control characters');
  return ok({ driver: 'lvm_thin', name, volumeGroup, thinPool, ...keeping } as const);
};

const poolOf = (where: string, driver: string, attributes: Attributes) => {
  const name = attributes['name'] as PoolName;
  const keeping = keepingOf(where, attributes);
  if (!keeping.ok) return keeping;
  if (driver === 'lvm_thin') return lvmPool(where, attributes, keeping.value, name);
  const check = attributes['setup_check'];
  if (check !== undefined && parseBool(check) === null) return refuse(where, `setup_check is ${quoted(check)}`);
  const dir = dirOf(where, attributes['dir_path'] ?? '');
  if (!dir.ok) return dir;
  if (driver === 'file') return filePool(where, dir.value, keeping.value, name);
  if (driver === 'file-reflink') return ok({ driver: 'file-reflink', name, dir: dir.value, ...keeping.value } as const);
  return ok({ driver: 'linux-kernel', name, dir: attributes['dir_path'] ?? '' } as const);
};

const loadPool = (loading: Loading, attributes: Attributes): Loaded => {
  const name = attributes['name'];
  if (!name || hasControls(name)) return refuse('pools', `${quoted(name ?? null)} is no name for a pool`);
  const where = `pool ${quoted(name)}`;
  const driver = attributes['driver'] ?? '';
  const takes = Object.hasOwn(TAKES, driver) ? TAKES[driver] : undefined;
  if (!takes) {
    const why = driver === '' ? 'it has no driver' : `there is no driver ${quoted(driver)}`;
    loading.lost.push({ object: 'pools', what: `pool ${name}`, text: JSON.stringify(attributes), why });
    return ok(null);
  }
  const missing = takes.needed.find((one) => attributes[one] === undefined);
  if (missing) return refuse(where, `it has no ${missing}`);
  const known = new Set(['name', 'driver', ...takes.needed, ...takes.more]);
  const unknown = Object.keys(attributes).find((one) => !known.has(one));
  if (unknown !== undefined) return refuse(where, `the driver ${driver} takes no ${quoted(unknown)}`);
  const pool = poolOf(where, driver, attributes);
  if (!pool.ok) return pool;
  loading.host.pools.set(pool.value.name, pool.value);
  return ok(null);
};

/** Stage 1b. Unknown drivers are dropped, as stock drops them; of two pools of a name the last counts. */
export const loadPools = (loading: Loading, { pools }: Document): Loaded => {
  for (const attributes of pools) {
    const loaded = loadPool(loading, attributes);
    if (!loaded.ok) return loaded;
  }
  return ok(null);
};
