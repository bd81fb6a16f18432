import { type Changed, NOTHING_CHANGED, together } from '../lvm-history/changed.ts';
import { type Mark, markIn } from '../lvm-history/mark.ts';
import type { Archive, Kept } from '../lvm-history/read-archive.ts';
import type { Act } from './acts.ts';

/** One line of the comparison, as `fsck` has them. `time` in epoch milliseconds, by the clock LVM had. */
export type Testimony = {
  readonly object: string;
  readonly kind: 'ours' | 'testified' | 'history' | 'foreign' | 'unlogged' | 'missing' | 'gap' | 'archive';
  readonly problem: string | null;
  readonly position: number | null;
  readonly repair: string | null;
  readonly time: number | null;
  readonly commandLine: string | null;
  /** what the command did to which LVs, as far as the archive shows it */
  readonly changed: Changed;
};

export type Log = {
  readonly acts: readonly Act[];
  readonly commands: ReadonlySet<string>;
  /** the oldest moment, in epoch milliseconds, from which the log knows a pool of this volume group */
  readonly since: number;
  /** what the log already has of this volume group's archive, by `testimonyKey`: positions of the events */
  readonly testified: ReadonlyMap<string, number>;
};

/** The same command of LVM's, however often its archive is read. */
export const testimonyKey = ({ time, commandLine }: Pick<Kept, 'time' | 'commandLine'>): string =>
  `${time} ${keptLine(commandLine)}`;

/** A command line is kept this far. */
const LONGEST_LINE = 2000;

/** What is bounded and moves no cursor, as the log keeps it. */
export const harmless = (text: string, most: number): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, most);

export const keptLine = (commandLine: string): string => harmless(commandLine, LONGEST_LINE);

export type Told = Kept & { readonly mark: Mark | null };

const keyOf = ({ command, step }: Mark): string => `${command}/${step}`;
const SECOND = 1000;

const continues = ({ when, commandLine, seqno }: Told, before: Told | undefined): boolean =>
  before?.commandLine === commandLine && (when === 'after' || seqno - before.seqno <= 1);

/** LVM writes several entries for one command, and its backup tells of the last one again: the first of each, with all it did. */
const perCommand = (told: readonly Told[]): readonly Told[] => {
  const commands: Told[] = [];
  told.forEach((one, index) => {
    const first = continues(one, told[index - 1]) ? commands.pop() : undefined;
    commands.push(first ? { ...first, changed: together(first.changed, one.changed) } : one);
  });
  return commands;
};

const line = (told: Told, fields: Partial<Testimony> & Pick<Testimony, 'kind'>): Testimony => ({
  object: `${told.volumeGroup} seqno ${told.seqno}`,
  problem: null,
  position: null,
  repair: null,
  time: told.time * SECOND,
  commandLine: told.commandLine,
  changed: told.changed,
  ...fields,
});

/** Before the log knew the volume group. Its own first entry counts too, because clocks are set back. */
const isHistory = ({ seqno, time }: Told, firstOurs: number, since: number): boolean =>
  seqno < firstOurs && time * SECOND <= since;

const judged = (told: Told, log: Log, acts: ReadonlyMap<string, Act>, firstOurs: number): Testimony => {
  const known = log.testified.get(testimonyKey(told));
  if (!told.mark && known !== undefined) return line(told, { kind: 'testified', position: known });
  if (isHistory(told, firstOurs, log.since)) return line(told, { kind: 'history' });
  if (!told.mark) {
    return line(told, {
      kind: 'foreign',
      problem: 'a command that is not ours changed the volume group',
      repair: 'domtrail drift',
    });
  }
  const act = acts.get(keyOf(told.mark));
  if (act || log.commands.has(told.mark.command)) return line(told, { kind: 'ours', position: act?.position ?? null });
  const problem = `it says that it was step ${told.mark.step} of cmd:${told.mark.command}, which the log does not know`;
  return line(told, { kind: 'unlogged', problem, repair: 'domtrail verify' });
};

/** Steps that LVM kept nothing of, among those younger than the oldest thing it kept. */
const missing = (group: string, told: readonly Told[], acts: readonly Act[]): readonly Testimony[] => {
  const oldest = Math.min(...told.map(({ time }) => time)) * SECOND;
  const seen = new Set(told.flatMap(({ mark }) => (mark ? [keyOf(mark)] : [])));
  return acts
    .filter((act) => act.began > oldest + SECOND && !seen.has(keyOf(act)))
    .map(({ command, step, position, began, words }) => ({
      object: `${group} cmd:${command} step ${step}`,
      kind: 'missing',
      problem: `the log has this step (${words}), LVM's archive does not`,
      position,
      repair: 'domtrail verify',
      time: began,
      commandLine: null,
      changed: NOTHING_CHANGED,
    }));
};

/** Changes that nobody told of: LVM keeps the state before each one. */
const gaps = (told: readonly Told[], log: Log, firstOurs: number): readonly Testimony[] =>
  told.flatMap((after, index) => {
    const before = told[index - 1];
    if (!before || after.seqno - before.seqno < 2 || isHistory(after, firstOurs, log.since)) return [];
    const from = before.seqno + 1;
    const to = after.seqno - 1;
    const which = from === to ? `the state with seqno ${from}` : `the states with seqno ${from} to ${to}`;
    const problem = `${which} left no entry: a command with archiving switched off, or somebody removed it`;
    return [{ ...line(after, { kind: 'gap', problem, repair: 'domtrail drift' }), commandLine: null }];
  });

/** Where LVM keeps no archive of a group we changed, nothing can be compared; that is a finding, not a clean bill. */
const silence = (group: string): Testimony => ({
  object: group,
  kind: 'archive',
  problem: 'LVM has no archive of this volume group: see backup/archive in lvm.conf(5)',
  position: null,
  repair: null,
  time: null,
  commandLine: null,
  changed: NOTHING_CHANGED,
});

const firstOursIn = (told: readonly Told[], acts: ReadonlyMap<string, Act>): number =>
  told.find(({ mark }) => mark !== null && acts.has(keyOf(mark)))?.seqno ?? Number.POSITIVE_INFINITY;

const marked = ({ entries }: Archive): readonly Told[] =>
  entries.map((entry): Told => ({ ...entry, mark: markIn(entry.commandLine) }));

/** The commands that are not ours, which the log does not have yet. `ofOld`: only those from before the log knew the group. */
export const notOurs = (archive: Archive, log: Log, ofOld: boolean): readonly Told[] => {
  const told = marked(archive);
  const firstOurs = firstOursIn(told, actsByMark(log));
  return perCommand(told).filter(
    (one) =>
      one.mark === null && !log.testified.has(testimonyKey(one)) && (!ofOld || isHistory(one, firstOurs, log.since)),
  );
};

const actsByMark = ({ acts }: Log): ReadonlyMap<string, Act> => new Map(acts.map((act) => [keyOf(act), act]));

/** Compares what LVM kept of one volume group with what the log says was done there. */
export const crossCheck = (group: string, archive: Archive, log: Log): readonly Testimony[] => {
  const { entries, unreadable } = archive;
  const damaged = unreadable.map(
    ({ file, why }): Testimony => ({ ...silence(group), object: file, problem: `it cannot be read: ${why}` }),
  );
  if (entries.length === 0) return log.acts.length > 0 ? [...damaged, silence(group)] : damaged;
  const told = marked(archive);
  const acts = actsByMark(log);
  const firstOurs = firstOursIn(told, acts);
  return [
    ...perCommand(told).map((one) => judged(one, log, acts, firstOurs)),
    ...gaps(told, log, firstOurs),
    ...missing(group, told, log.acts),
    ...damaged,
  ];
};
