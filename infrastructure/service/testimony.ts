import type { ArchiveEntry } from '../lvm-history/archive-entry.ts';
import { type Mark, markIn } from '../lvm-history/mark.ts';
import type { Archive } from '../lvm-history/read-archive.ts';
import type { Act } from './acts.ts';

/** One line of the comparison, as `fsck` has them. `time` in epoch milliseconds, by the clock LVM had. */
export type Testimony = {
  readonly object: string;
  readonly kind: 'ours' | 'history' | 'foreign' | 'unlogged' | 'missing' | 'gap' | 'archive';
  readonly problem: string | null;
  readonly position: number | null;
  readonly repair: string | null;
  readonly time: number | null;
  readonly commandLine: string | null;
};

export type Log = {
  readonly acts: readonly Act[];
  readonly commands: ReadonlySet<string>;
  /** the oldest moment, in epoch milliseconds, from which the log knows a pool of this volume group */
  readonly since: number;
};

type Told = ArchiveEntry & { readonly file: string; readonly mark: Mark | null };

const keyOf = ({ command, step }: Mark): string => `${command}/${step}`;
const SECOND = 1000;

/** LVM writes several entries for one command, and its backup tells of the last one again. */
const perCommand = (told: readonly Told[]): readonly Told[] =>
  told.filter(({ when, commandLine, seqno }, index) => {
    const before = told[index - 1];
    return !before || before.commandLine !== commandLine || (when === 'before' && seqno - before.seqno > 1);
  });

const line = (told: Told, fields: Partial<Testimony> & Pick<Testimony, 'kind'>): Testimony => ({
  object: `${told.volumeGroup} seqno ${told.seqno}`,
  problem: null,
  position: null,
  repair: null,
  time: told.time * SECOND,
  commandLine: told.commandLine,
  ...fields,
});

/** Before the log knew the volume group. Its own first entry counts too, because clocks are set back. */
const isHistory = ({ seqno, time }: Told, firstOurs: number, since: number): boolean =>
  seqno < firstOurs && time * SECOND <= since;

const judged = (told: Told, log: Log, acts: ReadonlyMap<string, Act>, firstOurs: number): Testimony => {
  if (isHistory(told, firstOurs, log.since)) return line(told, { kind: 'history' });
  if (!told.mark) {
    return line(told, {
      kind: 'foreign',
      problem: 'a command that is not ours changed the volume group',
      repair: 'domtrail fsck',
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
    return [{ ...line(after, { kind: 'gap', problem, repair: 'domtrail fsck' }), commandLine: null }];
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
});

/** Compares what LVM kept of one volume group with what the log says was done there. */
export const crossCheck = (group: string, { entries, unreadable }: Archive, log: Log): readonly Testimony[] => {
  const damaged = unreadable.map(
    ({ file, why }): Testimony => ({ ...silence(group), object: file, problem: `it cannot be read: ${why}` }),
  );
  if (entries.length === 0) return log.acts.length > 0 ? [...damaged, silence(group)] : damaged;
  const told = entries.map((entry): Told => ({ ...entry, mark: markIn(entry.commandLine) }));
  const acts = new Map(log.acts.map((act) => [keyOf(act), act]));
  const firstOurs = told.find(({ mark }) => mark !== null && acts.has(keyOf(mark)))?.seqno ?? Number.POSITIVE_INFINITY;
  return [
    ...perCommand(told).map((one) => judged(one, log, acts, firstOurs)),
    ...gaps(told, log, firstOurs),
    ...missing(group, told, log.acts),
    ...damaged,
  ];
};
