import { stepsOf } from '../../domain/decision.ts';
import { symbolOfDeed, wordsOfDeed } from '../../domain/deed-words.ts';
import type { Recorded } from '../../domain/event.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { wordsOf } from '../../domain/words.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { actorText, commandItem, eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime, shortId } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { eventAt, eventsOfCommand, findCommand, type StoredCommand } from '../../infrastructure/ledger/queries.ts';
import { openReading, type Reading } from '../compose.ts';

const HELP = `domtrail show: one command or event, whole

  domtrail show cmd:3f2a9c1e      its plan, each step with argv and result, its facts
  domtrail show ev:42             an event, with the command that caused it
`;

const stepLine = (one: Recorded): string => {
  const { event } = one;
  if (event.type !== 'StepDone' && event.type !== 'StepFailed')
    return `  ev:${one.position}  ${escapeText(wordsOf(event))}`;
  const { evidence } = event;
  const how =
    event.type === 'StepFailed'
      ? `! ${event.message}`
      : event.found
        ? 'was done already'
        : `exit ${evidence.exitCode ?? '-'}, ${evidence.durationMs} ms`;
  const argv = evidence.argv.map((words) => `\n        $ ${words.map(escapeText).join(' ')}`).join('');
  const disk = event.type === 'StepDone' && event.disk ? `\n        disk ${event.disk.id}` : '';
  return `  ev:${one.position}  step ${event.n} ${escapeText(event.object)}: ${escapeText(event.words)}  (${escapeText(how)})${argv}${disk}`;
};

const planLines = (events: readonly Recorded[]): readonly string[] => {
  const accepted = events[0]?.event;
  if (accepted?.type !== 'CommandAccepted') return [];
  return stepsOf(accepted.plan).map(
    ({ n, object, deed }) =>
      `  ${`${n}`.padStart(2)}  ${symbolOfDeed(deed)} ${escapeText(object)}  ${escapeText(wordsOfDeed(deed))}`,
  );
};

const commandText = (command: StoredCommand, events: readonly Recorded[]): string => {
  const { actor, outcome } = command;
  const plan = planLines(events);
  const lines = [
    `command   ${command.name} cmd:${command.id}`,
    `asked     ${localTime(command.receivedAt)} by ${escapeText(actorText(actor))} (uid ${actor.uid}${actor.loginUid === null ? '' : `, login uid ${actor.loginUid}`}${actor.tty ? `, ${actor.tty}` : ''})`,
    `with      ${escapeText([actor.tool, ...actor.argv].join(' '))}`,
    `payload   ${escapeText(JSON.stringify(command.payload))}`,
    ...(command.reason === null ? [] : [`reason    ${escapeText(command.reason)}`]),
    `outcome   ${outcome.outcome}${outcome.failure ? `: error[${outcome.failure.code}]: ${escapeText(outcome.failure.message)}` : ''}`,
    ...(plan.length === 0 ? [] : ['plan', ...plan]),
    'events',
    ...events.map(stepLine),
  ];
  return `${lines.join('\n')}\n`;
};

const showCommand = (args: Arguments, { ledger, asOf }: Reading, id: string): Result<number, Failure> => {
  const command = findCommand(ledger, id);
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
  const command = findCommand(ledger, recorded.command);
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
      return event
        ? showEvent(args, reading.value, Number(event[1]))
        : showCommand(args, reading.value, id.replace(/^cmd:/, ''));
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(show, 'show', argv);
