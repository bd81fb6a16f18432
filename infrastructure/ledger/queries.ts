import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Actor } from './accept.ts';
import { beginningOf } from './beginning.ts';
import { type Ledger, statement } from './ledger.ts';
import { parseMoment } from './moment.ts';
import { decidedAtOnce, type OutcomeRow, outcomeOfRow, readOutcome, type StoredOutcome } from './outcomes.ts';
import { decode, EVENT_COLUMNS, type EventRow } from './rows.ts';

/** When an event was recorded, in epoch milliseconds; null before the first. */
export const timeOf = (ledger: Ledger, position: number): number | null =>
  (statement(ledger, 'SELECT time FROM events WHERE position = ?').pluck().get(position) as number | undefined) ?? null;

const lastPosition = (ledger: Ledger): number =>
  (statement(ledger, 'SELECT max(position) FROM events').pluck().get() as number | null) ?? 0;

/** One operation back from the newest, as `@-` means it: a command that was refused did nothing. */
const beforeLastOperation = (ledger: Ledger): number => {
  for (const { outcome } of newestCommands(ledger)) {
    if (outcome.outcome !== 'rejected') return outcome.firstPosition - 1;
  }
  return 0;
};

const AT_OR_BEFORE = 'SELECT max(position) FROM events WHERE time <= ?';

/** The last event at or before a moment (epoch milliseconds). */
const positionAtTime = (ledger: Ledger, time: number): number =>
  (statement(ledger, AT_OR_BEFORE).pluck().get(time) as number | null) ?? beginningOf(ledger).position;

const notUnderstood = (text: string): Failure =>
  failure(
    'D_USAGE',
    `${JSON.stringify(text)} is neither an event (ev:42) nor a time (2026-11-22T19:40:31Z, yesterday, '2 hours ago')`,
  );

/** The position that `42`, `ev:42`, `@`, `@-` or a time (`parseMoment`) stands for: the last event at or before it. */
export const positionAt = (ledger: Ledger, text: string): Result<number, Failure> => {
  if (text === '@') return ok(lastPosition(ledger));
  if (text === '@-') return ok(beforeLastOperation(ledger));
  const event = /^(?:ev:)?([0-9]{1,15})$/.exec(text);
  if (event) {
    const position = Number(event[1]);
    const last = lastPosition(ledger);
    const first = beginningOf(ledger).position;
    if (position < first) return err(failure('D_NOT_FOUND', `this bundle begins after ev:${first}`));
    return position <= last
      ? ok(position)
      : err(failure('D_NOT_FOUND', `there is no event ${position}; the last is ${last}`));
  }
  const time = parseMoment(text, Date.now());
  return time === null ? err(notUnderstood(text)) : ok(positionAtTime(ledger, time));
};

/** The position after which `--since` begins: what happened at that very event or moment belongs to it. */
export const positionBefore = (ledger: Ledger, since: string): Result<number, Failure> => {
  const isPosition = /^(?:ev:)?[0-9]{1,15}$/.test(since);
  const time = isPosition || since.startsWith('@') ? null : parseMoment(since, Date.now());
  if (time !== null) return ok(positionAtTime(ledger, time - 1));
  const from = positionAt(ledger, since);
  if (!from.ok) return from;
  return ok(Math.max(0, isPosition ? from.value - 1 : from.value));
};

const BOOTS = `SELECT position, context ->> '$.bootId' AS boot FROM commands WHERE position <= ? ORDER BY seq DESC`;

/** The events of one boot of the host: after one position up to another. */
export type Boot = { readonly after: number; readonly to: number };

/**
 * The boots that the log knows up to a position, newest first. Read as they are asked for: the newest costs no more than its
 * own commands.
 */
export function* bootsUpTo(ledger: Ledger, position: number): Generator<Boot> {
  const rows = statement(ledger, BOOTS).iterate(position) as IterableIterator<{
    position: number;
    boot: string | null;
  }>;
  let current: { readonly boot: string | null; readonly to: number } | null = null;
  let first = position;
  for (const row of rows) {
    if (current && current.boot !== row.boot) {
      yield { after: first - 1, to: current.to };
      current = { boot: row.boot, to: first - 1 };
    }
    current ??= { boot: row.boot, to: position };
    first = row.position;
  }
  if (current) yield { after: beginningOf(ledger).position, to: current.to };
}

export const eventAt = (ledger: Ledger, position: number): Recorded | null => {
  const row = statement(ledger, `SELECT ${EVENT_COLUMNS} FROM events WHERE position = ?`).raw().get(position) as
    | EventRow
    | undefined;
  return row ? decode(row) : null;
};

const OF_COMMAND = `SELECT ${EVENT_COLUMNS} FROM events WHERE command = ? AND position BETWEEN ? AND ? ORDER BY position`;

export const eventsOfCommand = (
  ledger: Ledger,
  command: string,
  upTo = Number.MAX_SAFE_INTEGER,
): readonly Recorded[] => {
  const outcome = readOutcome(ledger, command);
  if (!outcome) return [];
  const last = Math.min(upTo, outcome.lastPosition);
  return (statement(ledger, OF_COMMAND).raw().all(command, outcome.firstPosition, last) as EventRow[]).map(decode);
};

export type StoredCommand = {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
  readonly actor: Actor;
  readonly reason: string | null;
  readonly context: Readonly<Record<string, unknown>>;
  readonly receivedAt: number;
  readonly outcome: StoredOutcome;
};

type CommandRow = {
  seq: number;
  id: string;
  name: string;
  schema_version: number;
  payload: string;
  actor: string;
  reason: string | null;
  context: string;
  received_at: number;
  position: number;
};

type NoOutcome = { readonly [K in keyof OutcomeRow]: null };

const COMMAND_COLUMNS =
  'seq, id, name, schema_version, payload, actor, reason, context, received_at, commands.position, command, outcome, error, first_position, last_position, finished_at';

const commandOfRow = (ledger: Ledger, row: CommandRow & (OutcomeRow | NoOutcome)): StoredCommand => ({
  seq: row.seq,
  id: row.id,
  name: row.name,
  schemaVersion: row.schema_version,
  payload: JSON.parse(row.payload),
  actor: JSON.parse(row.actor) as Actor,
  reason: row.reason,
  context: JSON.parse(row.context) as Readonly<Record<string, unknown>>,
  receivedAt: row.received_at,
  outcome: row.outcome === null ? decidedAtOnce(ledger, row.id, row.position) : outcomeOfRow(row),
});

const commandsWhere = (
  ledger: Ledger,
  where: string,
  ...values: readonly (string | number)[]
): readonly StoredCommand[] =>
  (
    statement(
      ledger,
      `SELECT ${COMMAND_COLUMNS} FROM commands LEFT JOIN outcomes ON outcomes.command = commands.id WHERE ${where} ORDER BY seq`,
    ).all(...values) as (CommandRow & (OutcomeRow | NoOutcome))[]
  ).map((row) => commandOfRow(ledger, row));

const PAGE = 100;

/** Commands whose decision lies at or before a position, the newest first, read page by page: whoever has enough stops. */
export function* newestCommands(ledger: Ledger, position = Number.MAX_SAFE_INTEGER): Generator<StoredCommand> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const where = `seq IN (SELECT seq FROM commands WHERE seq < ? AND position <= ? ORDER BY seq DESC LIMIT ${PAGE})`;
    const page = commandsWhere(ledger, where, before, position).toReversed();
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    before = last.seq;
  }
}

/** Commands whose decision lies at or before a position, in order of receipt. */
export const commandsUpTo = (ledger: Ledger, position = Number.MAX_SAFE_INTEGER): readonly StoredCommand[] =>
  commandsWhere(ledger, 'commands.position <= ?', position);

/** The command with that id, or the only one whose id begins so. */
export const findCommand = (ledger: Ledger, id: string): Result<StoredCommand, Failure> => {
  const [exact] = commandsWhere(ledger, 'commands.id = ?', id);
  if (exact) return ok(exact);
  const some = id.length < 4 ? [] : commandsWhere(ledger, 'substr(commands.id, 1, ?) = ?', id.length, id);
  const [only] = some;
  if (only && some.length === 1) return ok(only);
  const message = some.length > 1 ? `${some.length} commands begin with ${id}` : `there is no command ${id}`;
  return err(failure('D_NOT_FOUND', message, { next: 'domtrail log --commands' }));
};
