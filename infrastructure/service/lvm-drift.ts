import { deedsIn } from '../../domain/adoption/testimony.ts';
import { shellWord } from '../cli/shell-word.ts';
import { utcTime } from '../cli/text.ts';
import type { Changed } from '../lvm-history/changed.ts';
import type { Offered } from './drift.ts';
import type { ArchivedGroup } from './lvm-archive.ts';
import { crossCheck, type Testimony } from './testimony.ts';

/** A command of somebody else's in LVM's archive: when, by LVM's clock, and what was typed. */
export type ByOthers = { readonly time: string; readonly commandLine: string };

const FOREIGN: ReadonlySet<Testimony['kind']> = new Set(['foreign', 'testified', 'history']);

const byOthers = ({ time, commandLine }: Testimony): ByOthers => ({
  time: utcTime(time ?? 0),
  commandLine: commandLine ?? '',
});

const mentions = ({ made, gone, renamed }: Changed, disk: string): boolean =>
  [...made, ...gone, ...renamed].some(({ id }) => id === disk);

/** What LVM's archives tell, each group's commands in their order. */
export const toldBy = (groups: readonly ArchivedGroup[]): readonly Testimony[] =>
  groups.flatMap(({ group, archive, log }) => crossCheck(group, archive, log));

/**
 * The last command of somebody else's that touched the disk of a difference: by its UUID, and where only the size differs,
 * which the archive does not compare, by its name.
 */
export const causeOf = ({ disk, difference, name }: Offered, told: readonly Testimony[]): ByOthers | null => {
  if (disk === undefined) return null;
  const cause = told.findLast(
    ({ kind, changed, commandLine }) =>
      FOREIGN.has(kind) &&
      (mentions(changed, disk) || (difference === 'resized' && (commandLine?.split(' ').includes(name) ?? false))),
  );
  return cause ? byOthers(cause) : null;
};

const seqnoOf = ({ object }: Testimony): string => object.split(' ').at(-1) ?? '';

type Dirs = { readonly archive?: string | undefined; readonly backup?: string | undefined };

const adoptWords = ({ archive, backup }: Dirs): string =>
  [
    'domtrail adopt --lvm-archive',
    ...(archive === undefined ? [] : [`--archive ${shellWord(archive)}`]),
    ...(backup === undefined ? [] : [`--backup ${shellWord(backup)}`]),
  ].join(' ');

const ofCommand = (one: Testimony, group: string, dirs: Dirs): Offered => {
  const by = byOthers(one);
  const deeds = deedsIn(one.changed);
  return {
    object: one.object,
    kind: 'lvm',
    position: null,
    problem: one.problem ?? '',
    difference: 'command',
    name: `${group}@${seqnoOf(one)}`,
    about: null,
    fingerprint: `${by.time} ${by.commandLine}`,
    adopt: adoptWords(dirs),
    repair: null,
    by,
    ...(deeds === '' ? {} : { details: [deeds] }),
  };
};

/** Commands of others that the log does not have. `dirs`: where the archive is read, when somebody said so. */
export const commandsOfOthers = (groups: readonly ArchivedGroup[], dirs: Dirs): readonly Offered[] =>
  groups.flatMap(({ group, archive, log }) =>
    crossCheck(group, archive, log)
      .filter(({ kind }) => kind === 'foreign')
      .map((one) => ofCommand(one, group, dirs)),
  );
