import { stepsOf } from '../domain/decision.ts';
import { symbolOfDeed, wordsOfDeed } from '../domain/deed-words.ts';
import type { Recorded } from '../domain/event.ts';
import { wordsOf } from '../domain/words.ts';
import { actorText } from '../infrastructure/cli/event-item.ts';
import { escapeText, localTime } from '../infrastructure/cli/text.ts';
import type { StoredCommand } from '../infrastructure/ledger/queries.ts';

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

/** A command whole, for people: who asked for what, its plan, its steps with what they ran, and its facts. */
export const commandText = (command: StoredCommand, events: readonly Recorded[]): string => {
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
