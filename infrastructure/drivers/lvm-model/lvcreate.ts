import { err, ok, type Result } from '../../../domain/result.ts';
import { type Arguments, commandLine, lastOf, sizeOf, splitName, tagsOf } from './arguments.ts';
import type { Labels, LvmModel } from './model.ts';
import { failed, fine, noGroup, printedSize, refused, rejected, type Said, said } from './said.ts';
import { EXTENT } from './state.ts';

const HELP = "Run `lvcreate --help' for more information.";
const RESERVED_START = /^(snapshot|pvmove)/;
const RESERVED_PART = /_(cdata|cmeta|corig|mlog|mimage|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin|imeta|iorig)/;

const LONGEST_NAME = 127;

/** Why a name for a new LV is not taken. */
const badName = (group: string, name: string): Said | null => {
  if (!/^[a-zA-Z0-9_+.][a-zA-Z0-9_+.-]*$/.test(name) || name.length > LONGEST_NAME) {
    return rejected(`Logical volume name "${name}" is invalid.`, HELP);
  }
  const [start] = RESERVED_START.exec(name) ?? [];
  if (start) return rejected(`Names starting "${start}" are reserved. Please choose a different LV name.`);
  const [part] = RESERVED_PART.exec(name) ?? [];
  if (part) return rejected(`Names including "${part}" are reserved. Please choose a different LV name.`);
  const full = `${group}/${name}`;
  if (full.length <= LONGEST_NAME) return null;
  return failed(
    `Full LV name "${full}" is too long.`,
    `Internal error: LV name "${full}" length ${full.length} is not supported.`,
  );
};

/** `skip`: thin snapshots get the activation skip flag unless told otherwise, empty LVs do not. */
const labels = (given: Arguments, argv: readonly string[], skip: boolean): Result<Labels, Said> => {
  const tags = tagsOf(given, 'addtag');
  if (!tags.ok) return tags;
  const asked = lastOf(given, 'setactivationskip');
  return ok({ tags: tags.value, skip: asked === undefined ? skip : asked === 'y', by: commandLine(argv) });
};

const OVERCOMMITTED = [
  'WARNING: You have not turned on protection against thin pools running out of space.',
  'WARNING: Set activation/thin_pool_autoextend_threshold below 100 to trigger automatic extension of thin pools before they get full.',
];

/** All thin volumes together may be larger than the pool; LVM mentions it each time. */
const created = (model: LvmModel, name: string, rounding: readonly string[]): Said => {
  const { lvs, pool, volumeGroup } = model.state();
  const sum = [...lvs.values()].reduce((bytes, { extents }) => bytes + extents * EXTENT, 0);
  const done = `Logical volume "${name}" created.`;
  if (sum <= pool.extents * EXTENT) return fine(...rounding, done);
  const warning = `WARNING: Sum of all thin volume sizes (${printedSize(sum)}) exceeds the size of thin pool ${volumeGroup}/${pool.name} and the size of whole volume group (1020.00 MiB).`;
  return said(0, [...rounding, ...OVERCOMMITTED, done], [warning]);
};

const createThin = (model: LvmModel, given: Arguments, argv: readonly string[], pool: string): Said => {
  const size = sizeOf('virtualsize', lastOf(given, 'virtualsize') ?? '');
  if (!size.ok) return size.error;
  if (size.value === 0) return rejected('--virtualsize may not be zero.', HELP);
  const state = model.state();
  const name = splitName(`x/${lastOf(given, 'name') ?? 'lvol0'}`).lv ?? '';
  const bad = badName(state.volumeGroup, name);
  if (bad) return bad;
  if (pool !== state.pool.name) return failed(`Pool ${pool} not found in Volume group ${state.volumeGroup}.`);
  const more = labels(given, argv, false);
  if (!more.ok) return more.error;
  const outcome = model.create(name, size.value, more.value);
  if (!outcome.ok) return refused(state, outcome.error, (missing) => failed(`${missing} is missing`));
  const rounded = Math.ceil(size.value / EXTENT) * EXTENT;
  const rounding = rounded === size.value ? [] : [`Rounding up size to full physical extent ${printedSize(rounded)}`];
  return created(model, name, rounding);
};

const createSnapshot = (model: LvmModel, given: Arguments, argv: readonly string[], origin: string): Said => {
  const state = model.state();
  const wanted = lastOf(given, 'name') ?? 'lvol0';
  const name = wanted.includes('/') ? (splitName(wanted).lv ?? '') : wanted;
  const bad = badName(state.volumeGroup, name);
  if (bad) return bad;
  if (origin === state.pool.name) return failed('Please specify either size or extents with snapshots.');
  const more = labels(given, argv, true);
  if (!more.ok) return more.error;
  const outcome = model.snapshot(origin, name, more.value);
  if (outcome.ok) return created(model, name, []);
  return refused(state, outcome.error, (missing) =>
    failed(`Snapshot origin LV ${missing} not found in Volume group ${state.volumeGroup}.`),
  );
};

const target = ({ words }: Arguments, model: LvmModel): Result<string, Said> => {
  const { group, lv } = splitName(words[0] ?? '');
  const { volumeGroup, visible } = model.state();
  if (group !== volumeGroup || !visible) return err(noGroup(group));
  return lv === null ? err(rejected('Please specify a logical volume path.')) : ok(lv);
};

/** `lvcreate` for thin volumes and their snapshots, in the forms that lvm2 2.03.16 takes (spec: lvm §0 to §2). */
export const lvcreate = (model: LvmModel, given: Arguments, argv: readonly string[]): Said => {
  const snapshot = given.options.has('snapshot');
  const type = lastOf(given, 'type');
  if (snapshot && type === 'thin') return rejected('Command does not accept option: --snapshot.');
  const lv = target(given, model);
  if (snapshot || (type === 'thin' && lv.ok && lv.value !== model.state().pool.name)) {
    return lv.ok ? createSnapshot(model, given, argv, lv.value) : lv.error;
  }
  // A size or name that cannot be parsed is complained about before the volume group is looked for.
  const size = sizeOf('virtualsize', lastOf(given, 'virtualsize') ?? '');
  if (!size.ok) return size.error;
  return lv.ok ? createThin(model, given, argv, lv.value) : lv.error;
};
