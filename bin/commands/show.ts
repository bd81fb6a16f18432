import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { wordsOf } from '../../domain/words.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { actorText, commandItem, eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime, shortId } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventAt, eventsOfCommand } from '../../infrastructure/ledger/queries.ts';
import { commandText } from '../command-text.ts';
import { openReading, type Reading } from '../compose.ts';
import { findOperation } from '../operation-named.ts';

const HELP = `domtrail show: one command or event, whole

  domtrail show cmd:3f2a9c1e      its plan, each step with argv and result, its facts
  domtrail show ev:42             an event, with the command that caused it
  domtrail show @                 the last operation; @- the one before
`;

const showCommand = (args: Arguments, { ledger, asOf }: Reading, id: string): Result<number, Failure> => {
  const command = findOperation(ledger, id, asOf.position);
  if (!command.ok) return command;
  const events = eventsOfCommand(ledger, command.value.id, asOf.position);
  if (args.flag('json')) {
    const items = events.map((one) => eventItem(one, command.value.actor));
    outJson('show', asOf, { item: { ...commandItem(command.value), context: command.value.context, events: items } });
  } else out(commandText(command.value, events));
  return ok(0);
};

const showEvent = (args: Arguments, { ledger, asOf }: Reading, position: number): Result<number, Failure> => {
  const recorded = position > asOf.position ? null : eventAt(ledger, position);
  if (!recorded) return err(failure('D_NOT_FOUND', `there is no event ${position}; the last is ${asOf.position}`));
  const command = findOperation(ledger, recorded.command);
  const actor = command.ok ? command.value.actor : null;
  const item = eventItem(recorded, actor);
  if (args.flag('json')) {
    outJson('show', asOf, { item });
    return ok(0);
  }
  const cause = command.ok
    ? `${command.value.name} cmd:${shortId(recorded.command)} by ${actorText(actor)}`
    : `cmd:${recorded.command}`;
  const lines = [
    `event     ev:${recorded.position} ${recorded.event.type}`,
    `when      ${localTime(recorded.time)}`,
    `stream    ${escapeText(recorded.stream)} version ${recorded.version}`,
    `cause     ${escapeText(cause)}`,
    `change    ${escapeText(wordsOf(recorded.event))}`,
    `data      ${escapeText(JSON.stringify(item.data))}`,
  ];
  out(`${lines.join('\n')}\n`);
  return ok(0);
};

const show: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['ID'], 'show');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const [id = ''] = words.value;
      const event = /^(?:ev:)?([0-9]{1,15})$/.exec(id);
      return event ? showEvent(args, reading.value, Number(event[1])) : showCommand(args, reading.value, id);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(show, 'show', argv);
