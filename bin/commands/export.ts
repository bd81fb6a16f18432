import { counted } from '../../domain/counted.ts';
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { outJson, talk } from '../../infrastructure/cli/output.ts';
import { escapeText } from '../../infrastructure/cli/text.ts';
import { writeBundle } from '../../infrastructure/export/write-bundle.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { openReading, PROJECTIONS, type Reading } from '../compose.ts';
import { stretchOf } from '../stretch.ts';

const HELP = `domtrail export: the log as a file for somebody else

  domtrail export -o bundle.db                  all of it, as it is
  domtrail export ev:400..ev:900 -o bundle.db   the events after 400 up to 900
  domtrail export --redact -o bundle.db         with other names, and without texts

Every reading command takes it: domtrail log --db bundle.db. So do verify, replay and
bisect. --force goes over a file that exists.

--redact gives every VM, volume, pool, group, path, person, host and address another
name, the same one everywhere, and drops reasons, comments, messages and arguments.
What stays: the order and time of events, commands and steps, sizes, exit codes, ids
of disks, numbers, settings that are yes or no. Names keep their alphabetical order.
A redacted bundle proves that it was not changed since, given the head printed here;
that it was made of your log only you can show: export again and compare the heads.
`;

const exported = (args: Arguments, reading: Reading): Result<number, Failure> => {
  const words = expectWords(args.values, ['RANGE'], 'export', 1);
  if (!words.ok) return words;
  const file = args.text('output');
  if (file === undefined || file === '-') return err(usage('-o FILE is missing', 'export'));
  const stretch = stretchOf(words.value[0], reading);
  if (!stretch.ok) return stretch;
  if (stretch.value.after === stretch.value.to) return err(usage('there is no event in that range', 'export'));
  const wanted = { ...stretch.value, redact: args.flag('redact'), projections: PROJECTIONS };
  const done = writeBundle(reading.ledger, file, wanted, args.flag('force'));
  if (!done.ok) return done;
  const { about, commands, events, head } = done.value;
  if (args.flag('json')) {
    const { redacted, after, to } = about;
    outJson('export', reading.asOf, { item: { file, redacted, after, to, commands, events, head } });
  } else talk(`${escapeText(file)}: ${counted(events, 'event')}, ${counted(commands, 'command')}, head ${head.hash}\n`);
  return ok(0);
};

const action: Action = {
  options: { output: 'value', redact: 'flag', force: 'flag' },
  help: HELP,
  run: async (args) => {
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      return exported(args, reading.value);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(action, 'export', argv);
