import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { actorText } from '../infrastructure/cli/event-item.ts';
import { escapeText, shortId } from '../infrastructure/cli/text.ts';
import { foldTo } from '../infrastructure/ledger/fold.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { findCommand, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import { type Change, watch } from '../projections/changes/changes.ts';
import { stateAt } from './compose.ts';

/** A change, and the command that made it. */
export type Told = Change & { readonly by: StoredCommand | null };

export const commandsOf = (ledger: Ledger, changes: readonly Change[]): readonly Told[] => {
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

export const textOf = (changes: readonly Told[]): string => {
  let last: string | null = null;
  const lines = changes.map((change) => {
    const head = change.object === last ? '' : `${escapeText(change.object)}\n`;
    last = change.object;
    return `${head}${lineOf(change)}`;
  });
  return changes.length === 0 ? 'no changes\n' : lines.join('');
};

export const itemOf = ({ by, ...change }: Told) => ({
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

export type Span = { readonly from: number; readonly to: number };

/** What differs between two positions; the later one first shows the way back. */
export const changesBetween = (
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
