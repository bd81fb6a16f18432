import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime, utcTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { readArchive } from '../../infrastructure/lvm-history/read-archive.ts';
import { actsUpTo, commandsKnown, knownSince } from '../../infrastructure/service/acts.ts';
import { crossCheck, type Testimony } from '../../infrastructure/service/testimony.ts';
import { openReading, type Reading } from '../compose.ts';

const HELP = `domtrail witness: does LVM's own archive tell the same story as the log?

  domtrail witness         what does not agree (exit 2 when there is anything)
  domtrail witness --all   every command LVM remembers, with the event that
                           explains it
      --archive DIR        instead of /etc/lvm/archive, say a copy
      --backup DIR         instead of /etc/lvm/backup

foreign    a command that is not ours changed the volume group
unlogged   it says it was ours, and the log does not know it
missing    the log has a step of which LVM kept nothing
gap        a change that left no entry at all
archive    LVM kept nothing, or a file cannot be read

Steps older than LVM's oldest entry are not asked for. Changes nothing.
`;

const page = ({ kind, object, problem, position, repair, time, commandLine }: Testimony): string => {
  const explained = position === null ? '' : `  (ev:${position})`;
  const when = time === null ? '' : `  ${localTime(time)}`;
  const lines = [`${problem === null ? ' ' : '!'} ${kind.padEnd(9)} ${escapeText(object)}${when}${explained}`];
  if (problem !== null) lines.push(`    ${escapeText(problem)}`);
  if (commandLine !== null) lines.push(`    $ ${escapeText(commandLine)}`);
  if (repair !== null) lines.push(`    repair: ${repair}`);
  return `${lines.join('\n')}\n`;
};

/** The volume groups of the log's pools, each with the moment from which the log knows it. */
const groupsOf = ({ host, ledger }: Reading): ReadonlyMap<string, number> => {
  const groups = new Map<string, number>();
  for (const pool of host.pools.values()) {
    if (pool.driver !== 'lvm_thin') continue;
    const since = knownSince(ledger, pool.name);
    groups.set(pool.volumeGroup, Math.min(since, groups.get(pool.volumeGroup) ?? since));
  }
  return groups;
};

const compared = async (reading: Reading, args: Arguments): Promise<Result<readonly Testimony[], Failure>> => {
  const { ledger, asOf } = reading;
  const acts = actsUpTo(ledger, asOf.position);
  const commands = commandsKnown(ledger, asOf.position);
  const dirs = {
    archive: args.text('archive') ?? '/etc/lvm/archive',
    backup: args.text('backup') ?? '/etc/lvm/backup',
  };
  const found: Testimony[] = [];
  for (const [group, since] of groupsOf(reading)) {
    const archive = await readArchive(dirs, group);
    if (!archive.ok) return archive;
    found.push(
      ...crossCheck(group, archive.value, { acts: acts.filter((act) => act.group === group), commands, since }),
    );
  }
  return ok(found);
};

const witness: Action = {
  options: { all: 'flag', archive: 'value', backup: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'witness');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const found = await compared(reading.value, args);
    closeLedger(reading.value.ledger);
    if (!found.ok) return found;
    const problems = found.value.filter(({ problem }) => problem !== null);
    if (args.flag('json')) {
      const items = found.value.map((one) => ({ ...one, time: one.time === null ? null : utcTime(one.time) }));
      outJson('witness', reading.value.asOf, { items });
    } else {
      out((args.flag('all') ? found.value : problems).map(page).join(''));
      out(`${found.value.length} compared, ${problems.length} problems\n`);
    }
    return ok(problems.length === 0 ? 0 : 2);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(witness, 'witness', argv);
