import { err, ok, type Result } from '../../../domain/result.ts';
import { type Arguments, commandLine, lastOf, sizeOf, splitName, tagsOf } from './arguments.ts';
import type { LvmModel } from './model.ts';
import { failed, fine, noGroup, printedSize, refused, rejected, type Said, said } from './said.ts';
import { matches, selectionOf } from './select.ts';
import { EXTENT, type Lv } from './state.ts';

type Command = (model: LvmModel, given: Arguments, argv: readonly string[]) => Said;

const unseen = (model: LvmModel, group: string): boolean =>
  group !== model.state().volumeGroup || !model.state().visible;

const notFound = (model: LvmModel, name: string): Said =>
  failed(`Failed to find logical volume "${model.state().volumeGroup}/${name}"`);

export const lvrename: Command = (model, { words }, argv) => {
  const from = splitName(words[0] ?? '');
  const to = splitName(words[1] ?? '');
  const { volumeGroup } = model.state();
  if (to.lv !== null && from.group !== to.group) {
    return rejected(`Logical volume names must have the same volume group ("${from.group}" or "${to.group}")`);
  }
  const target = to.lv ?? to.group;
  if (from.lv === null) return rejected('Old and new logical volume names required');
  if (from.lv === target) return rejected('Old and new logical volume names must differ');
  if (unseen(model, from.group)) return noGroup(from.group);
  const outcome = model.rename(from.lv, target, commandLine(argv));
  if (outcome.ok) return fine(`Renamed "${from.lv}" to "${target}" in volume group "${volumeGroup}"`);
  return refused(model.state(), outcome.error, (name) =>
    failed(`Existing logical volume "${name}" not found in volume group "${volumeGroup}"`),
  );
};

/** Several answers in one: all that was said, and the worst end. */
const together = (answers: readonly Said[]): Said => ({
  exitCode: answers.some(({ exitCode }) => exitCode === null)
    ? null
    : Math.max(0, ...answers.map(({ exitCode }) => exitCode ?? 0)),
  stdout: answers.map(({ stdout }) => stdout).join(''),
  stderr: answers.map(({ stderr }) => stderr).join(''),
});

const removeOne = (model: LvmModel, { name }: Lv, by: string): Said => {
  const before = model.state();
  const outcome = model.remove(name, by);
  if (outcome.ok) return fine(`Logical volume "${name}" successfully removed.`);
  return refused(before, outcome.error, (missing) => notFound(model, missing));
};

const removeWord = (model: LvmModel, word: string, given: Arguments, by: string): Said => {
  const selection = selectionOf(lastOf(given, 'select'));
  const chosen = (lv: Lv): boolean => matches(lv, selection);
  const all = [...model.state().lvs.values()].filter(chosen);
  if (word.startsWith('@')) {
    return together(all.filter(({ tags }) => tags.includes(word.slice(1))).map((lv) => removeOne(model, lv, by)));
  }
  const { group, lv: name } = splitName(word);
  if (unseen(model, group)) return noGroup(group);
  if (name === null) return together(all.map((lv) => removeOne(model, lv, by)));
  const lv = model.find(name);
  if (!lv) return notFound(model, name);
  return chosen(lv) ? removeOne(model, lv, by) : fine();
};

/** Without `-f` or `-y` LVM asks about an active LV, and nothing on stdin means no. */
export const lvremove: Command = (model, given, argv) => {
  const sure = given.options.has('force') || given.options.has('yes');
  if (!sure) return failed(`Logical volume ${given.words[0] ?? ''} not removed.`);
  return together(given.words.map((word) => removeWord(model, word, given, commandLine(argv))));
};

const changedSize = (name: string, from: number, to: number): readonly string[] => [
  `Size of logical volume ${name} changed from ${printedSize(from * EXTENT)} (${from} extents) to ${printedSize(to * EXTENT)} (${to} extents).`,
  `Logical volume ${name} successfully resized.`,
];

const shrinking = (bytes: number): readonly string[] => [
  `WARNING: Reducing active logical volume to ${printedSize(bytes)}.`,
  'THIS MAY DESTROY YOUR DATA (filesystem etc.)',
];

/** What is to become of an LV's size: it exists and the new size is one that LVM takes. */
type Resize = {
  readonly lv: Lv;
  readonly name: string;
  readonly bytes: number;
  readonly shrink: boolean;
  readonly by: string;
};

const resizeOf = (model: LvmModel, given: Arguments, argv: readonly string[]): Result<Resize, Said> => {
  const size = sizeOf('size', lastOf(given, 'size') ?? '');
  if (!size.ok) return size;
  const { group, lv: name } = splitName(given.words[0] ?? '');
  if (unseen(model, group)) return err(noGroup(group));
  const lv = model.find(name ?? '');
  if (!lv) return err(failed(`Logical volume ${name} not found in volume group ${group}.`));
  const shrink = given.options.has('yes') || given.options.has('force');
  return ok({ lv, name: `${group}/${lv.name}`, bytes: size.value, shrink, by: commandLine(argv) });
};

const resizeTo = (model: LvmModel, { lv, name, bytes, shrink, by }: Resize): Said => {
  const extents = Math.ceil(bytes / EXTENT);
  const whole = extents * EXTENT;
  const rounded = whole === bytes ? [] : [`Rounding size to boundary between physical extents: ${printedSize(whole)}.`];
  const warnings = extents < lv.extents ? shrinking(bytes) : [];
  const outcome = model.resize(lv.name, bytes, { shrink, by });
  if (outcome.ok) return said(0, [...rounded, ...changedSize(name, lv.extents, extents)], warnings);
  if (outcome.error.is === 'not-reduced') {
    // The question alone is not indented.
    const warned = said(5, rounded, warnings);
    const asked = `${warned.stderr}Do you really want to reduce ${name}? [y/n]: [n]\n`;
    return together([{ ...warned, stderr: asked }, failed(`Logical volume ${name} NOT reduced.`)]);
  }
  return together([fine(...rounded), refused(model.state(), outcome.error, (missing) => notFound(model, missing))]);
};

export const lvresize: Command = (model, given, argv) => {
  const wanted = resizeOf(model, given, argv);
  return wanted.ok ? resizeTo(model, wanted.value) : wanted.error;
};

export const lvextend: Command = (model, given, argv) => {
  const wanted = resizeOf(model, given, argv);
  if (!wanted.ok) return wanted.error;
  const { lv, bytes } = wanted.value;
  const extents = Math.ceil(bytes / EXTENT);
  if (extents >= lv.extents) return resizeTo(model, wanted.value);
  return failed(`New size given (${extents} extents) not larger than existing size (${lv.extents} extents)`);
};

const relabel = (given: Arguments): ((lv: Lv) => Lv) | null => {
  const { options } = given;
  if (!['addtag', 'deltag', 'setactivationskip'].some((option) => options.has(option))) return null;
  const gone = new Set(options.get('deltag') ?? []);
  return (lv) => ({
    ...lv,
    tags: [...new Set([...lv.tags, ...(options.get('addtag') ?? [])])].filter((tag) => !gone.has(tag)),
    skip: options.has('setactivationskip') ? lastOf(given, 'setactivationskip') === 'y' : lv.skip,
  });
};

/** `--activate`, tags and the skip flag. Repeating it is no failure; each change of labels writes metadata. */
export const lvchange: Command = (model, given, argv) => {
  for (const option of ['addtag', 'deltag']) {
    const tags = tagsOf(given, option);
    if (!tags.ok) return tags.error;
  }
  const { group, lv } = splitName(given.words[0] ?? '');
  if (unseen(model, group)) return noGroup(group);
  const name = lv ?? '';
  const label = relabel(given);
  const missing = (): Said => notFound(model, name);
  if (label) {
    const outcome = model.relabel(name, label, commandLine(argv));
    return outcome.ok
      ? fine(`Logical volume ${group}/${name} changed.`)
      : refused(model.state(), outcome.error, missing);
  }
  const on = lastOf(given, 'activate') !== 'n';
  const force = given.options.has('ignoreactivationskip');
  const outcome = on ? model.activate(name, force) : model.deactivate(name);
  return outcome.ok ? fine() : refused(model.state(), outcome.error, missing);
};
