import { type Arguments, lastOf, splitName } from './arguments.ts';
import { CHUNK } from './content.ts';
import { capacityOf, chunksOf, isFull, METADATA_BYTES, metadataShare, usedBlocks } from './kernel.ts';
import type { LvmModel } from './model.ts';
import { noGroup, rejected, type Said, said } from './said.ts';
import { matches, selectionOf } from './select.ts';
import { EXTENT, type Lv, originOf, type State } from './state.ts';
import { complaints } from './volume-group.ts';

/** How sizes are written: plain numbers or with their unit. */
type Style = { readonly suffix: string };

const percent = (part: number, whole: number): string => ((part / whole) * 100).toFixed(2);

const time = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000`;

const volumeAttr = ({ active, open, skip }: Lv): string =>
  `Vwi-${active ? 'a' : '-'}${open > 0 ? 'o' : '-'}t--${skip ? 'k' : '-'}`;

const volumePercent = (state: State, lv: Lv): string =>
  lv.active ? percent((chunksOf(state, lv)?.size ?? 0) * CHUNK, lv.extents * EXTENT) : '';

const HEALTH = { '-': '', D: 'out_of_data', M: 'metadata_read_only', F: 'failed' } as const;

const healthOf = (state: State): keyof typeof HEALTH => {
  const { mode } = state.kernel;
  if (mode === 'rw') return isFull(state) ? 'D' : '-';
  return mode === 'failed' ? 'F' : 'M';
};

/** `c`: active, and the metadata must be checked. */
const poolAttr = (state: State): string => {
  if (!state.pool.active) return 'twi---t---';
  return `twi-${state.kernel.mode === 'read-only' ? 'c' : 'a'}ot-${healthOf(state)}-`;
};

/** Of a pool that has failed the kernel tells no numbers. */
const hasNumbers = ({ pool, kernel }: State): boolean => pool.active && kernel.mode !== 'failed';

type Field = {
  readonly lv: (state: State, lv: Lv, style: Style) => string;
  readonly pool: (state: State, style: Style) => string;
};

const NONE = (): string => '';

/** The fields of `lvs` that are asked for, of a thin volume and of the pool. All values are text (spec: lvm §6). */
const FIELDS: Readonly<Record<string, Field>> = {
  data_percent: {
    lv: volumePercent,
    pool: (state) => (hasNumbers(state) ? percent(usedBlocks(state), capacityOf(state)) : ''),
  },
  lv_active: { lv: (_, { active }) => (active ? 'active' : ''), pool: ({ pool }) => (pool.active ? 'active' : '') },
  lv_attr: {
    lv: (_, lv) => volumeAttr(lv),
    pool: poolAttr,
  },
  // Of an LV without a device LVM says that it does not know.
  lv_device_open: {
    lv: (_, { active, open }) => (active ? (open > 0 ? 'open' : '') : 'unknown'),
    pool: ({ pool }) => (pool.active ? 'open' : 'unknown'),
  },
  lv_health_status: { lv: NONE, pool: (state) => HEALTH[healthOf(state)] },
  lv_metadata_size: { lv: NONE, pool: (_, { suffix }) => `${METADATA_BYTES}${suffix}` },
  lv_name: { lv: (_, { name }) => name, pool: ({ pool }) => pool.name },
  lv_size: {
    lv: (_, { extents }, { suffix }) => `${extents * EXTENT}${suffix}`,
    pool: ({ pool }, { suffix }) => `${pool.extents * EXTENT}${suffix}`,
  },
  lv_skip_activation: { lv: (_, { skip }) => (skip ? 'skip activation' : ''), pool: NONE },
  lv_tags: { lv: (_, { tags }) => [...tags].sort().join(','), pool: NONE },
  lv_time: { lv: (_, lv) => time(lv.time), pool: ({ pool }) => time(pool.time) },
  lv_uuid: { lv: (_, { uuid }) => uuid, pool: ({ pool }) => pool.uuid },
  metadata_percent: { lv: NONE, pool: (state) => (hasNumbers(state) ? percent(metadataShare(state), 1) : '') },
  origin: { lv: (state, lv) => originOf(state, lv)?.name ?? '', pool: NONE },
  origin_uuid: { lv: (state, lv) => originOf(state, lv)?.uuid ?? '', pool: NONE },
  pool_lv: { lv: ({ pool }) => pool.name, pool: NONE },
  segtype: { lv: () => 'thin', pool: () => 'thin-pool' },
  thin_id: { lv: (_, { thinId }) => `${thinId}`, pool: NONE },
  transaction_id: { lv: (_, { transactionId }) => `${transactionId}`, pool: ({ pool }) => `${pool.transactionId}` },
  vg_name: { lv: ({ volumeGroup }) => volumeGroup, pool: ({ volumeGroup }) => volumeGroup },
};

type Row = Readonly<Record<string, string>>;

const rowOf = (names: readonly string[], value: (field: Field) => string): Row =>
  Object.fromEntries(names.map((name) => [name, value(FIELDS[name] ?? { lv: NONE, pool: NONE })]));

type Scope = { readonly lvs: readonly Lv[]; readonly pool: boolean; readonly missing: string | null };

/** What the names at the end of the command line mean. */
const scopeOf = (state: State, word: string): Scope => {
  const lvs = [...state.lvs.values()];
  if (word.startsWith('@'))
    return { lvs: lvs.filter(({ tags }) => tags.includes(word.slice(1))), pool: false, missing: null };
  const { lv: name } = splitName(word);
  if (name === null) return { lvs, pool: true, missing: null };
  const found = lvs.filter((lv) => lv.name === name);
  const pool = name === state.pool.name;
  return { lvs: found, pool, missing: pool || found.length > 0 ? null : name };
};

const byName = (rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => ((a['lv_name'] ?? '') < (b['lv_name'] ?? '') ? -1 : 1));

const printed = (rows: readonly Row[], json: boolean): string => {
  if (!json) return rows.map((row) => `  ${Object.values(row).join(' ')}\n`).join('');
  const lines = rows.map((row) => `              ${JSON.stringify(row)}`).join(',\n');
  return `  {\n      "report": [\n          {\n              "lv": [\n${lines}\n              ]\n          }\n      ]\n  }\n`;
};

const DEFAULT_FIELDS = 'lv_name,vg_name,lv_attr,lv_size';

/** Why a report cannot be made. */
/** A report that could not be made is an empty one all the same: only the exit code tells. */
const unseen = (group: string, format: string): Said => ({
  ...noGroup(group),
  stdout: format === 'json' ? printed([], true) : '',
});

const refusalOf = (
  { visible, torn, volumeGroup }: State,
  format: string,
  names: readonly string[],
  word: string,
): Said | null => {
  if (format !== 'json' && format !== 'basic') return rejected(`Invalid argument for --reportformat: ${format}`);
  const unknown = names.find((name) => !(name in FIELDS));
  if (unknown !== undefined) return rejected(`Unrecognised field: ${unknown}`);
  const { group } = splitName(word);
  return !visible || torn || (group !== volumeGroup && !word.startsWith('@')) ? unseen(group, format) : null;
};

/** `lvs -o FIELDS`, as JSON or as bare columns. */
export const lvs = (model: LvmModel, given: Arguments): Said => {
  const state = model.state();
  const format = lastOf(given, 'reportformat') ?? 'basic';
  const names = (lastOf(given, 'options') ?? DEFAULT_FIELDS).split(',');
  const word = given.words[0] ?? state.volumeGroup;
  const refusal = refusalOf(state, format, names, word);
  if (refusal) return { ...refusal, stderr: said(0, [], complaints(state)).stderr + refusal.stderr };
  const { lvs: scope, pool, missing } = scopeOf(state, word);
  const selection = selectionOf(lastOf(given, 'select'));
  const style: Style = { suffix: given.options.has('nosuffix') ? '' : 'B' };
  const chosen = scope.filter((lv) => matches(lv, selection));
  const volumes = chosen.map((lv) => rowOf(names, (field) => field.lv(state, lv, style)));
  const pools = pool && selection === null ? [rowOf(names, (field) => field.pool(state, style))] : [];
  const stdout = printed(byName([...volumes, ...pools]), format === 'json');
  if (missing === null) return { exitCode: 0, stdout, stderr: '' };
  return { exitCode: 5, stdout, stderr: `  Failed to find logical volume "${state.volumeGroup}/${missing}"\n` };
};

/** `vgs`: only the sequence number of the metadata, which tells whether anybody wrote in between. */
export const vgs = (model: LvmModel, given: Arguments): Said => {
  const { seqno, volumeGroup, visible } = model.state();
  const group = given.words[0] ?? volumeGroup;
  if (group !== volumeGroup || !visible) return noGroup(group);
  return { exitCode: 0, stdout: `  ${seqno}\n`, stderr: '' };
};
