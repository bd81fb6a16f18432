import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { closeLedger, type Ledger } from '../../infrastructure/ledger/ledger.ts';
import { positionAt, timeOf } from '../../infrastructure/ledger/queries.ts';
import { changesBetween, commandsOf, itemOf, textOf } from '../changes-between.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail diff: what changed between two points, and which command changed it

  domtrail diff ev:40 @            everything since event 40
  domtrail diff @- @               what the last command changed
  domtrail diff 2026-11-22 @ work  one VM with its volumes
  domtrail diff ev:40 ev:60 global|'pool lvm'|work:private

A point is an event, a time, @ (now) or @- (before the last command); the later
one first shows the way back. What was changed and changed back is left out.
Exit 2 when there are changes, 0 when there are none.
`;

const compare = (ledger: Ledger, args: Arguments, words: readonly string[]): Result<number, Failure> => {
  const [a = '', b = '', object] = words;
  const from = positionAt(ledger, a);
  if (!from.ok) return from;
  const to = positionAt(ledger, b);
  if (!to.ok) return to;
  const span = { from: from.value, to: to.value };
  const found = changesBetween(ledger, span, object);
  if (!found.ok) return found;
  const changes = commandsOf(ledger, found.value);
  const asOf = { position: span.to, time: timeOf(ledger, span.to) };
  if (args.flag('json')) outJson('diff', asOf, { item: { ...span, changes: changes.map(itemOf) } });
  else out(textOf(changes));
  return ok(changes.length === 0 ? 0 : 2);
};

const diff: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['A', 'B', 'OBJECT'], 'diff', 1);
    if (!words.ok) return words;
    if (args.text('at') !== undefined) return err(failure('D_USAGE', 'diff takes its points as words, not with --at'));
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      return compare(reading.value.ledger, args, words.value);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(diff, 'diff', argv);
