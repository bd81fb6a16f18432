import type { Recorded } from '../../domain/event.ts';
import type { Report, ReportCommand } from './report.ts';

/** Something that went wrong, and what became of it. `settled` false: somebody has to do something. */
export type Trouble = {
  readonly position: number;
  readonly time: number;
  readonly what: string;
  readonly code: string | null;
  readonly message: string;
  readonly settled: boolean;
  readonly mended: string;
  /** how often just that happened, the newest of them standing for all */
  readonly times: number;
};
type Once = Omit<Trouble, 'times'>;

const STANDS = 'still stands; domtrail recover goes on with it';

const titleOf = ({ name, object }: ReportCommand): string => (object === '' ? name : `${name} ${object}`);

/** How a command that was stopped or cut off went on after a position. */
const endAfter = (events: readonly Recorded[], position: number): Pick<Trouble, 'settled' | 'mended'> => {
  for (const { event, position: at } of events) {
    if (at <= position) continue;
    if (event.type === 'CommandCompleted') return { settled: true, mended: `recovered: completed at ev:${at}` };
    if (event.type === 'CommandAbandoned') return { settled: true, mended: `taken back at ev:${at}` };
  }
  return { settled: false, mended: STANDS };
};

/** A refusal changes nothing; the same wish granted later is worth knowing. */
const refused = (command: ReportCommand, commands: readonly ReportCommand[]): Once => {
  const later = commands.find(
    ({ first, name, object, outcome }) =>
      first > command.first && name === command.name && object === command.object && outcome === 'completed',
  );
  return {
    position: command.first,
    time: command.received,
    what: `${titleOf(command)} refused`,
    code: command.failure?.code ?? null,
    message: command.failure?.message ?? '',
    settled: true,
    mended: later ? `nothing was changed; done later at ev:${later.first}` : 'nothing was changed',
  };
};

const stopped = (command: ReportCommand, events: readonly Recorded[]): readonly Once[] =>
  events.flatMap(({ event, position, time }): readonly Once[] => {
    const before = events.filter((other) => other.position < position).at(-1)?.event.type;
    const about = { position, time, ...endAfter(events, position) };
    if (event.type === 'CommandFailed') {
      const { code, message } = event.failure;
      return [{ ...about, what: `${titleOf(command)} stopped`, code, message }];
    }
    if (event.type !== 'CommandResumed' || before === 'CommandFailed') return [];
    const message = `The process ended before the command did; recovery went on from step ${event.from}.`;
    return [{ ...about, what: `${titleOf(command)} cut off`, code: null, message }];
  });

const cutOff = (command: ReportCommand): Once => ({
  position: command.first,
  time: command.received,
  what: `${titleOf(command)} has not ended`,
  code: null,
  message: 'It was under way at that moment, or its process died.',
  settled: false,
  mended: STANDS,
});

const ofCommand = (report: Report, command: ReportCommand, events: readonly Recorded[]): readonly Once[] => {
  if (command.outcome === 'rejected') return [refused(command, report.commands)];
  const all = stopped(command, events);
  return all.length === 0 && command.outcome === 'accepted' ? [cutOff(command)] : all;
};

const ENDS_CRASH: ReadonlySet<string> = new Set(['SessionResumed', 'SessionCommitted', 'SessionDiscarded']);

const crashed = (events: readonly Recorded[], from: number, volume: string): Pick<Trouble, 'settled' | 'mended'> => {
  for (const { event, position } of events.slice(from + 1)) {
    if (!ENDS_CRASH.has(event.type) || !('volume' in event) || event.volume !== volume) continue;
    const words = { SessionResumed: 'taken up again', SessionCommitted: 'committed' }[event.type as string];
    return { settled: true, mended: `the session was ${words ?? 'thrown away'} at ev:${position}` };
  }
  return { settled: false, mended: `waits for a decision: domtrail volume commit|discard ${volume}` };
};

const saved = (events: readonly Recorded[], from: number, volume: string): Pick<Trouble, 'settled' | 'mended'> => {
  const later = events.slice(from + 1).find(({ event }) => event.type === 'VolumeBackedUp' && event.volume === volume);
  if (later) return { settled: true, mended: `in a later backup at ev:${later.position}` };
  return { settled: false, mended: 'in no backup since' };
};

const wounded = (events: readonly Recorded[], from: number, pool: string): Pick<Trouble, 'settled' | 'mended'> => {
  const mended = events.slice(from + 1).find(({ event }) => event.type === 'PoolMended' && event.pool === pool);
  if (mended) return { settled: true, mended: `mended at ev:${mended.position}` };
  return { settled: false, mended: 'not mended; domtrail recover tries again' };
};

const ofHost = (events: readonly Recorded[]): readonly Once[] =>
  events.flatMap(({ event, position, time }, index): readonly Once[] => {
    if (event.type === 'SessionLeft') {
      const message = 'The host went down under the running session; its data is kept.';
      const what = `${event.volume} left by a crash`;
      return [{ position, time, what, code: null, message, ...crashed(events, index, event.volume) }];
    }
    if (event.type === 'VolumeBackupFailed') {
      const what = `Backup of ${event.volume} failed`;
      return [{ position, time, what, code: null, message: event.problem, ...saved(events, index, event.volume) }];
    }
    if (event.type !== 'PoolWounded') return [];
    const message = `LVM reports it as ${event.wound.is}.`;
    return [
      {
        position,
        time,
        what: `Pool ${event.pool} damaged`,
        code: null,
        message,
        ...wounded(events, index, event.pool),
      },
    ];
  });

/** The same refusal over and over is one line: a script that tries every minute must not bury the rest. */
const together = (all: readonly Once[]): readonly Trouble[] => {
  const counted = new Map<string, Trouble>();
  for (const one of all) {
    const key = JSON.stringify([one.what, one.code, one.message, one.mended]);
    const known = counted.get(key);
    counted.set(key, known ? { ...known, times: known.times + 1 } : { ...one, times: 1 });
  }
  return [...counted.values()];
};

/** Everything that went wrong in the time of a report, newest first, each with what mended it. */
export const troublesOf = (report: Report): readonly Trouble[] => {
  const byCommand = new Map<string, Recorded[]>();
  for (const one of report.events) {
    const known = byCommand.get(one.command);
    if (known) known.push(one);
    else byCommand.set(one.command, [one]);
  }
  const commands = report.commands.flatMap((command) => ofCommand(report, command, byCommand.get(command.id) ?? []));
  return together([...commands, ...ofHost(report.events)].sort((a, b) => b.position - a.position));
};
