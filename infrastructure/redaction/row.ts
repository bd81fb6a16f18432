import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { stepsOf } from '../../domain/decision.ts';
import { wordsOfDeed } from '../../domain/deed-words.ts';
import { type DomainEvent, type Recorded, streamOf } from '../../domain/event.ts';
import type { Step } from '../../domain/steps.ts';
import type { CommandRow } from '../export/rows.ts';
import { sha256 } from '../ledger/hashes.ts';
import { redacted } from './value.ts';
import { REDACTED, type Redactor, storageIn, wordsFor } from './words.ts';

export const redactor = (): Redactor => {
  const words = wordsFor();
  return { words, storage: storageIn(words) };
};

const TOOLS = /^domtrail( recovery)?$/;
const TTY = /^(pts\/[0-9]{1,3}|tty[0-9]{1,2})$/;

const actorIn = ({ words }: Redactor, text: string): string => {
  const actor = JSON.parse(text) as Record<string, unknown>;
  const { user, uid, loginUid, tty, tool, source } = actor;
  const shown = (value: unknown, known: RegExp): string | null =>
    typeof value !== 'string' ? null : known.test(value) ? value : REDACTED;
  return JSON.stringify({
    user: words.user(String(user)),
    uid,
    loginUid,
    tty: shown(tty, TTY),
    tool: shown(tool, TOOLS),
    argv: [],
    source: typeof source === 'string' ? words.vm(source) : null,
  });
};

const jsonIn = (one: Redactor, text: string, scope: string): string =>
  canonicalJson(redacted(one, JSON.parse(text), scope, '') as Json);

/** A command's row without its digest, which the caller makes of it. */
export const redactedCommand = (one: Redactor, row: CommandRow): CommandRow => {
  const payload = jsonIn(one, row.payload, row.name);
  return {
    ...row,
    id: one.words.command(row.id),
    payload,
    payloadHash: sha256(payload),
    actor: actorIn(one, row.actor),
    reason: row.reason === null ? null : REDACTED,
    context: jsonIn(one, row.context, 'context'),
  };
};

/** What the steps of each open command say in words, made from their deeds as they are now. */
type Said = Map<string, ReadonlyMap<number, string>>;

const follow = (said: Said, command: string, event: DomainEvent): void => {
  const steps: readonly Step[] | null =
    event.type === 'CommandAccepted'
      ? stepsOf(event.plan)
      : event.type === 'UndoPlanned'
        ? [...event.main, ...event.cleanup]
        : null;
  if (steps)
    said.set(
      command,
      new Map([...(said.get(command) ?? []), ...steps.map(({ n, deed }) => [n, wordsOfDeed(deed)] as const)]),
    );
  else if (event.type === 'CommandCompleted' || event.type === 'CommandAbandoned') said.delete(command);
};

export type EventRedactor = (recorded: Recorded, digest: string | null) => Recorded;

/** Gives each event of a log, in order, its other form; `digest` is that of its command's row, for the event that binds it. */
export const eventRedactor = (one: Redactor): EventRedactor => {
  const said: Said = new Map();
  return (recorded, digest) => {
    const command = one.words.command(recorded.command);
    const shown = redacted(one, recorded.event, recorded.event.type, '') as DomainEvent;
    const isDecision = shown.type === 'CommandAccepted' || shown.type === 'CommandRejected';
    const bound = isDecision && digest !== null ? { ...shown, digest } : shown;
    follow(said, command, bound);
    const isStep = bound.type === 'StepDone' || bound.type === 'StepFailed';
    const event = isStep ? { ...bound, words: said.get(command)?.get(bound.n) ?? REDACTED } : bound;
    return { ...recorded, command, event, stream: streamOf(event, command) };
  };
};
