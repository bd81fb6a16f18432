import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { actorText } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, shortId } from '../../infrastructure/cli/text.ts';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { closeLedger, type Ledger } from '../../infrastructure/ledger/ledger.ts';
import { findCommand, positionAt, type StoredCommand, timeOf } from '../../infrastructure/ledger/queries.ts';
import { type Change, watch } from '../../projections/changes/changes.ts';
import { openReading, stateAt } from '../compose.ts';

const HELP = `domtrail diff: what changed between two points, and which command changed it

  domtrail diff ev:40 @            everything since event 40
  domtrail diff @- @               what the last command changed
  domtrail diff 2026-11-22 @ work  one VM with its volumes
  domtrail diff ev:40 ev:60 global|'pool lvm'|work:private

A point is an event, a time, @ (now) or @- (before the last command); the later
one first shows the way back. What was changed and changed back is left out.
Exit 2 when there are changes, 0 when there are none.
`;

type Told = Change & { readonly by: StoredCommand | null };

const commandsOf = (ledger: Ledger, changes: readonly Change[]): readonly Told[] => {
  const commands = new Map<string, StoredCommand | null>();
  return changes.map((change) => {
    if (!commands.has(change.command)) {
      const found = findCommand(ledger, change.command);
      commands.set(change.command, found.ok ? found.value : null);
    }
    return { ...change, by: commands.get(change.command) ?? null };
  });
};

/** Values may be as long as qubes.xml allows; `--json` has all of them. */
const MOST_SHOWN = 60;

const shown = (value: string | null): string => {
  if (value === null) return '-';
  const text = escapeText(value === '' ? '""' : value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text;
};

const lineOf = ({ aspect, before, after, position, command, by }: Told): string => {
  const sign = before === null ? '+' : after === null ? '-' : '~';
  const values =
    before === null ? shown(after) : after === null ? shown(before) : `${shown(before)} -> ${shown(after)}`;
  const cause = `ev:${position} ${by?.name ?? 'a command'} cmd:${shortId(command)}`;
  const who = by ? ` by ${actorText(by.actor)}${by.reason === null ? '' : `, "${by.reason}"`}` : '';
  return `  ${sign} ${escapeText(aspect)}: ${values}    ${escapeText(`${cause}${who}`)}\n`;
};

const textOf = (changes: readonly Told[]): string => {
  let last: string | null = null;
  const lines = changes.map((change) => {
    const head = change.object === last ? '' : `${escapeText(change.object)}\n`;
    last = change.object;
    return `${head}${lineOf(change)}`;
  });
  return changes.length === 0 ? 'no changes\n' : lines.join('');
};

const itemOf = ({ by, ...change }: Told) => ({
  ...change,
  name: by?.name ?? null,
  actor: by?.actor ?? null,
  reason: by?.reason ?? null,
});

const isAbout =
  (object: string | undefined) =>
  (change: Change): boolean =>
    object === undefined || change.object === object || change.object.startsWith(`${object}:`);

const reversed = (change: Change): Change => ({ ...change, before: change.after, after: change.before });

type Span = { readonly from: number; readonly to: number };

const changesBetween = (
  ledger: Ledger,
  { from, to }: Span,
  object: string | undefined,
): Result<readonly Change[], Failure> => {
  const host = stateAt(ledger, Math.min(from, to));
  const watching = watch(host);
  foldTo(ledger, Math.max(from, to), host, watching.onlooker);
  if (object !== undefined && !watching.knows(object)) {
    return err(failure('D_NOT_FOUND', `there was no ${object} between ev:${from} and ev:${to}`));
  }
  const changes = watching.changes().filter(isAbout(object));
  return ok(from <= to ? changes : changes.map(reversed));
};

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
