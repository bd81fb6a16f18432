import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { standsAt } from '../../domain/undo/course.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { actorText, commandItem, eventItem } from '../../infrastructure/cli/event-item.ts';
import { lineWidth, out, outJson } from '../../infrastructure/cli/output.ts';
import { localTime, shortId, table } from '../../infrastructure/cli/text.ts';
import { asItStood } from '../../infrastructure/ledger/as-it-stood.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventsOfCommand, newestCommands, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { doneOf, isInOperationLog, operationsOf } from '../../infrastructure/service/operations.ts';
import type { Service } from '../../infrastructure/service/service.ts';
import { changesBetween, commandsOf, itemOf, textOf } from '../changes-between.ts';
import { commandText } from '../command-text.ts';
import { openReading, type Reading } from '../compose.ts';
import { findOperation } from '../operation-named.ts';
import { beginning, goBack, mustBeSettled, type Way } from '../way-back.ts';

const HELP = `domtrail op: the operations, one for each command that was carried out

  domtrail op log                      the newest 30 (-n N; -n 0: all)
  domtrail op show @                   one: its plan, steps and what it changed
  domtrail op restore OP               back to the state as OP left it
  domtrail op restore OP --only work   one VM, volume (work:private) or global
  domtrail op revert OP                takes OP alone out, and leaves what came since
  domtrail op revert OP --plan         the steps, and what cannot come back

OP is an id from op log or its beginning, @ the last operation, @- the one
before. The * in op log is where undo and redo stand: undo takes that one back.
op restore asks; without a terminal it needs --yes. op revert asks when something
does not come back. It refuses (exit 4) what was changed again since, and names who
did. Both are operations themselves.

op restore and op revert take --plan, -m REASON, --id KEY, --json, --wait SECONDS.
`;

const NEWEST = 30;

const limitOf = (args: Arguments): Result<number, Failure> => {
  const text = args.text('number') ?? `${args.flag('json') ? 0 : NEWEST}`;
  if (!/^[0-9]{1,7}$/.test(text)) return err(usage('-n takes a number', 'op log'));
  return ok(Number(text) === 0 ? Number.POSITIVE_INFINITY : Number(text));
};

const newest = ({ ledger, asOf }: Reading, limit: number): readonly StoredCommand[] => {
  const found: StoredCommand[] = [];
  for (const command of newestCommands(ledger, asOf.position)) {
    if (found.length >= limit) break;
    if (isInOperationLog(command)) found.push(asItStood(ledger, command, asOf.position) ?? command);
  }
  return found;
};

const logItem = (command: StoredCommand, current: string | null) => {
  const { restored } = doneOf(command);
  return {
    ...commandItem(command),
    time: commandItem(command).receivedAt,
    current: command.id === current,
    restored: restored && { kind: restored.kind, operation: restored.operation, position: restored.position },
  };
};

const logText = (commands: readonly StoredCommand[], current: string | null): string =>
  table(
    ['', 'OP', 'WHEN', 'ACTOR', 'COMMAND', 'AS'],
    commands.map((command) => [
      command.id === current ? '*' : '',
      shortId(command.id),
      localTime(command.receivedAt),
      actorText(command.actor),
      command.outcome.outcome === 'completed' ? command.name : `${command.name} (${command.outcome.outcome})`,
      command.actor.argv.join(' '),
    ]),
    lineWidth(),
  );

const log: Action = {
  options: { number: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'op log');
    if (!words.ok) return words;
    const limit = limitOf(args);
    if (!limit.ok) return limit;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { ledger, asOf } = reading.value;
    try {
      const commands = newest(reading.value, limit.value);
      const current = standsAt(operationsOf(ledger, asOf.position))?.id ?? null;
      if (args.flag('json')) outJson('op-log', asOf, { items: commands.map((one) => logItem(one, current)) });
      else out(logText(commands, current));
      return ok(0);
    } finally {
      closeLedger(ledger);
    }
  },
};

const showIn = (args: Arguments, { ledger, asOf }: Reading, text: string): Result<number, Failure> => {
  const found = findOperation(ledger, text, asOf.position);
  if (!found.ok) return found;
  const command = found.value;
  const { firstPosition, lastPosition } = command.outcome;
  const between = changesBetween(ledger, { from: firstPosition - 1, to: lastPosition }, undefined);
  if (!between.ok) return between;
  const changes = commandsOf(ledger, between.value);
  const events = eventsOfCommand(ledger, command.id, asOf.position);
  if (args.flag('json')) {
    const items = events.map((one) => eventItem(one, command.actor));
    outJson('op-show', asOf, { item: { ...logItem(command, null), events: items, changes: changes.map(itemOf) } });
  } else out(`${commandText(command, events)}changes\n${textOf(changes)}`);
  return ok(0);
};

const show: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OP'], 'op show');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      return showIn(args, reading.value, words.value[0] ?? '');
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

const wayTo =
  (text: string, only: string | null) =>
  (service: Service): Result<Way, Failure> => {
    const settled = mustBeSettled(service);
    if (!settled.ok) return settled;
    const operation = findOperation(service.ledger, text);
    if (!operation.ok) return operation;
    const position = operation.value.outcome.lastPosition;
    const wall = beginning({ name: '', first: position });
    if (wall) return err(wall);
    return ok({
      topic: 'op-restore',
      kind: 'restore',
      operation: operation.value,
      position,
      only,
      done: 'back to the state after',
      asks: true,
    });
  };

/** An undo can only take back the newest; this takes out one from among the others. */
const wayWithout =
  (text: string) =>
  (service: Service): Result<Way, Failure> => {
    const settled = mustBeSettled(service);
    if (!settled.ok) return settled;
    const found = findOperation(service.ledger, text);
    if (!found.ok) return found;
    const operation = found.value;
    if (!isInOperationLog(operation)) {
      const message = `${operation.name} cmd:${shortId(operation.id)} was ${operation.outcome.outcome}: it changed nothing`;
      return err(failure('D_CANNOT_UNDO', message, { next: 'domtrail op log' }));
    }
    const first = operation.outcome.firstPosition;
    const wall = beginning({ name: operation.name, first });
    if (wall) return err(wall);
    const position = first - 1;
    return ok({ topic: 'op-revert', kind: 'revert', operation, position, only: null, done: 'taken out:', asks: false });
  };

const revert: Action = {
  options: CHANGING,
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OP'], 'op revert');
    return words.ok ? goBack(args, 'op-revert', wayWithout(words.value[0] ?? '')) : words;
  },
};

const restore: Action = {
  options: { ...CHANGING, only: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OP'], 'op restore');
    if (!words.ok) return words;
    return goBack(args, 'op-restore', wayTo(words.value[0] ?? '', args.text('only') ?? null));
  },
};

export const main = (argv: readonly string[]): Promise<number> =>
  runGroup('op', { log, show, restore, revert }, HELP, argv);
