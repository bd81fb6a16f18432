import { counted } from '../../domain/counted.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime, utcTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { archivedGroups } from '../../infrastructure/service/lvm-archive.ts';
import { crossCheck, type Testimony } from '../../infrastructure/service/testimony.ts';
import { ARCHIVE_OPTIONS, archiveDirs } from '../archive-dirs.ts';
import { openReading, type Reading } from '../compose.ts';

const HELP = `domtrail witness: does LVM's own archive tell the same story as the log?

  domtrail witness         what does not agree (exit 2 when there is anything)
  domtrail witness --all   every command LVM remembers, with the event that
                           explains it
      --archive DIR        instead of /etc/lvm/archive, say a copy
      --backup DIR         instead of /etc/lvm/backup

foreign    a command that is not ours changed the volume group; once it is in the
           log (adopt --lvm-archive), it is testified and no problem
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

const compared = async ({ ledger, host }: Reading, args: Arguments): Promise<Result<readonly Testimony[], Failure>> => {
  const groups = await archivedGroups(ledger, host, archiveDirs(args));
  if (!groups.ok) return groups;
  return ok(groups.value.flatMap(({ group, archive, log }) => crossCheck(group, archive, log)));
};

const witness: Action = {
  options: { all: 'flag', ...ARCHIVE_OPTIONS },
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
      const items = found.value.map(({ changed: _changed, ...one }) => ({
        ...one,
        time: one.time === null ? null : utcTime(one.time),
      }));
      outJson('witness', reading.value.asOf, { items });
    } else {
      out((args.flag('all') ? found.value : problems).map(page).join(''));
      out(`${found.value.length} compared, ${counted(problems.length, 'problem')}\n`);
    }
    return ok(problems.length === 0 ? 0 : 2);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(witness, 'witness', argv);
