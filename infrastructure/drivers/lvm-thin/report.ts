import type { DiskId } from '../../../domain/disk.ts';
import { type Failure, failure } from '../../../domain/failure.ts';
import type { PoolTrouble, PoolUsage } from '../../../domain/pool/usage.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { Sighting } from '../driver.port.ts';
import type { PoolName } from './argv.ts';

/** One row of `lvs`: an LV of the volume group, or a segment of one that has several. */
export type LvRow = {
  readonly uuid: string;
  readonly name: string;
  readonly pool: string;
  readonly segtype: string;
  readonly bytes: number;
  readonly dataPercent: number | null;
  readonly metadataBytes: number | null;
  readonly metadataPercent: number | null;
  readonly attr: string;
  readonly open: boolean;
  readonly originUuid: string | null;
  readonly tags: readonly string[];
  readonly transactionId: number | null;
};

/** Far beyond what 1 MiB of VG metadata can describe (spec: lvm §7): more is not a report of lvs. */
const MOST_ROWS = 100_000;
const LONGEST_FIELD = 64 * 1024;

const unreadable = (cause: string): Failure =>
  failure('D_POOL_UNSEEN', 'what lvs reported about the volume group cannot be understood', { cause });

class Malformed extends Error {}

const fieldOf = (row: unknown, field: string): string => {
  if (typeof row !== 'object' || row === null) throw new Malformed('a row is not an object');
  const value = (row as Readonly<Record<string, unknown>>)[field];
  if (typeof value !== 'string') throw new Malformed(`a row has no ${field}`);
  if (value.length > LONGEST_FIELD) throw new Malformed(`${field} has ${value.length} characters`);
  return value;
};

const present = (row: unknown, field: string): string => {
  const value = fieldOf(row, field);
  if (value === '') throw new Malformed(`a row has an empty ${field}`);
  return value;
};

const whole = (row: unknown, field: string): number | null => {
  const text = fieldOf(row, field);
  if (text === '') return null;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new Malformed(`${field} is ${JSON.stringify(text.slice(0, 40))}`);
  return value;
};

const percent = (row: unknown, field: string): number | null => {
  const text = fieldOf(row, field);
  if (text === '') return null;
  const value = /^\d{1,3}(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 100)) throw new Malformed(`${field} is ${JSON.stringify(text.slice(0, 40))}`);
  return value;
};

const rowOf = (row: unknown): LvRow => {
  const bytes = whole(row, 'lv_size');
  if (bytes === null) throw new Malformed('a row has no lv_size');
  return {
    uuid: present(row, 'lv_uuid'),
    name: present(row, 'lv_name'),
    pool: fieldOf(row, 'pool_lv'),
    segtype: present(row, 'segtype'),
    bytes,
    dataPercent: percent(row, 'data_percent'),
    metadataBytes: whole(row, 'lv_metadata_size'),
    metadataPercent: percent(row, 'metadata_percent'),
    attr: present(row, 'lv_attr'),
    open: fieldOf(row, 'lv_device_open') === 'open',
    originUuid: fieldOf(row, 'origin_uuid') || null,
    tags: fieldOf(row, 'lv_tags').split(',').filter(Boolean),
    transactionId: whole(row, 'transaction_id'),
  };
};

const rowsIn = (document: unknown): readonly unknown[] => {
  const report = (document as { readonly report?: readonly { readonly lv?: unknown }[] } | null)?.report;
  const rows = Array.isArray(report) ? report[0]?.lv : undefined;
  if (!Array.isArray(rows)) throw new Malformed('there is no list of LVs in it');
  if (rows.length > MOST_ROWS) throw new Malformed(`it lists ${rows.length} LVs`);
  return rows;
};

/** Reads the JSON of `lvs` (spec: lvm §6; every value is a string). Everything unexpected is a failure, never a shorter list. */
export const parseReport = (stdout: string): Result<readonly LvRow[], Failure> => {
  try {
    return ok(rowsIn(JSON.parse(stdout)).map(rowOf));
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return err(unreadable(error.message));
    throw error;
  }
};

/** What of a volume group's LVs belongs to one thin pool. */
export type PoolReport = { readonly pool: LvRow; readonly volumes: readonly LvRow[] };

/** Fails with the words of the stock driver when the pool is missing or is something else. */
export const poolReport = (
  rows: readonly LvRow[],
  { volumeGroup, thinPool }: PoolName,
): Result<PoolReport, Failure> => {
  const pool = rows.find(({ name }) => name === thinPool);
  if (!pool) return err(failure('D_NOT_FOUND', `Thin pool ${volumeGroup}/${thinPool} does not exist`));
  if (!pool.attr.startsWith('t')) {
    return err(failure('D_DRIVER_REFUSES', `Volume ${volumeGroup}/${thinPool} is not a thin pool`));
  }
  return ok({ pool, volumes: rows.filter((row) => row.pool === thinPool && row.segtype === 'thin') });
};

/** The fifth character tells whether there is a device: `a` active, `s` suspended for the moment by a command under way. */
export const isActive = ({ attr }: Pick<LvRow, 'attr'>): boolean => attr[4] === 'a' || attr[4] === 's';

/** The tenth character: `k` for an LV that is left inactive unless somebody insists. */
const isSkipped = ({ attr }: LvRow): boolean => attr[9] === 'k';

/**
 * Inactive LVs of the pool's latest transaction. An LV carries the pool's transaction id from just before it was made,
 * so only these can be phantoms, and the kernel's transaction id tells whether they are.
 */
export const mayBePhantom = ({ pool }: PoolReport, row: LvRow): boolean =>
  !isActive(row) &&
  row.transactionId !== null &&
  pool.transactionId !== null &&
  row.transactionId >= pool.transactionId - 1;

const TAG_OURS = 'domtrail';

/** The step in our tags; null unless they are complete and unambiguous, for then we cannot know. */
export const makerOf = ({ tags }: LvRow): Sighting['madeBy'] => {
  const [command, ...others] = tags.filter((tag) => tag.startsWith('dt.cmd='));
  const [step, ...otherSteps] = tags.filter((tag) => /^dt\.step=\d{1,9}$/.test(tag));
  if (!tags.includes(TAG_OURS) || command === undefined || step === undefined) return null;
  if (others.length + otherSteps.length > 0) return null;
  return { command: command.slice('dt.cmd='.length), step: Number(step.slice('dt.step='.length)) };
};

const used = (bytes: number, share: number | null): number | null =>
  share === null ? null : Math.round((bytes / 100) * share);

/**
 * The pool's disks. `kernelId` is the transaction id of the kernel's side, null when nothing made it necessary to ask.
 * A phantom is an LV that LVM lists and the kernel was never told to make (spec: lvm §9): the next change to the pool
 * would make it, with its origin's content of that later moment.
 */
export const sightingsOf = (
  report: PoolReport,
  { volumeGroup }: PoolName,
  kernelId: number | null,
): readonly Sighting[] =>
  report.volumes.map((row) => ({
    id: row.uuid as DiskId,
    name: `${volumeGroup}/${row.name}`,
    bytes: row.bytes,
    usedBytes: used(row.bytes, row.dataPercent),
    madeBy: makerOf(row),
    origin: row.originUuid as DiskId | null,
    usable: kernelId === null || !mayBePhantom(report, row) || (row.transactionId ?? 0) < kernelId,
    active: isActive(row),
    ...(isSkipped(row) ? { skipped: true } : {}),
    open: row.open,
  }));

/** The ninth character of a pool's attributes (lvs(8), lv_attr); `-` for a healthy one. */
const TROUBLE: Readonly<Record<string, PoolTrouble>> = { D: 'out-of-data', M: 'read-only', F: 'failed' };

export const usageOf = ({ pool }: PoolReport): PoolUsage => {
  const trouble = TROUBLE[pool.attr[8] ?? ''];
  return {
    bytes: pool.bytes,
    usedBytes: used(pool.bytes, pool.dataPercent) ?? 0,
    metadataBytes: pool.metadataBytes,
    metadataUsedBytes: pool.metadataBytes === null ? null : used(pool.metadataBytes, pool.metadataPercent),
    ...(trouble ? { trouble } : {}),
  };
};

/** The transaction id in `dmsetup status` of a pool's device; null when the pool has failed or is not there. */
export const kernelTransactionId = (stdout: string): number | null => {
  const digits = /\bthin-pool (\d{1,15}) /.exec(stdout)?.[1];
  return digits === undefined ? null : Number(digits);
};

/** `UUID OPEN` as dmsetup prints it. A device of LVM has `LVM-`, then VG and LV UUID without their dashes. */
export const deviceFacts = (stdout: string): { readonly uuid: string; readonly open: number } | null => {
  const [, uuid, open] = /^LVM-.{32}(.{32})\S* +(\d+)\s*$/.exec(stdout) ?? [];
  return uuid === undefined ? null : { uuid, open: Number(open) };
};

export const withoutDashes = (uuid: string): string => uuid.replaceAll('-', '');
