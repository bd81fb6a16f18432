import type { Breach } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { wordsOf } from '../../domain/words.ts';
import type { StoredCommand } from '../ledger/queries.ts';
import { actorText } from './event-item.ts';
import { escapeText, localTime, shortId, utcTime } from './text.ts';

/** Who asked for a command and why, in one line. */
export const causeText = ({ name, id, actor, reason }: StoredCommand): string =>
  `${name} cmd:${shortId(id)} by ${actorText(actor)}${actor.tty ? ` (${actor.tty})` : ''}${reason === null ? '' : `, "${reason}"`}`;

const sentenceOf = (name: string): string => INVARIANTS.find((one) => one.name === name)?.sentence ?? '';

/** A breach as programs read it. */
export const breachItem = ({ invariant, object, says, recorded }: Breach, command: StoredCommand | null) => ({
  invariant,
  sentence: sentenceOf(invariant),
  object,
  problem: says,
  position: recorded.position,
  time: utcTime(recorded.time),
  type: recorded.event.type,
  command: recorded.command,
  name: command?.name ?? null,
  actor: command?.actor ?? null,
  reason: command?.reason ?? null,
});

/** A breach as people read it: the event, the command behind it, and the sentence that no longer holds. */
export const breachText = ({ invariant, object, says, recorded }: Breach, command: StoredCommand | null): string => {
  const lines = [
    `ev:${recorded.position}  ${localTime(recorded.time)}  ${escapeText(wordsOf(recorded.event))}`,
    ...(command ? [`  command  ${escapeText(causeText(command))}`] : []),
    `  breaks   ${invariant}: ${escapeText(`${object}: ${says}`)}`,
    ...(sentenceOf(invariant) === '' ? [] : [`           ${sentenceOf(invariant)}`]),
  ];
  return `${lines.join('\n')}\n`;
};
