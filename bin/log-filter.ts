import type { Failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { wordsOf } from '../domain/words.ts';
import { type Arguments, type OptionKinds, usage } from '../infrastructure/cli/arguments.ts';
import { actorText } from '../infrastructure/cli/event-item.ts';
import { localTime, shortId } from '../infrastructure/cli/text.ts';
import type { Entry } from './log-events.ts';

export type Filter = (entry: Entry) => boolean;

/** The options that `filterOf` reads. */
export const FILTERS: OptionKinds = { failed: 'flag', type: 'value', actor: 'value', grep: 'value' };

const FAILURES = new Set(['CommandRejected', 'CommandFailed', 'CommandAbandoned', 'StepFailed']);

/** A pattern as -g takes it. */
export const patternOf = (text: string | undefined, topic: string): Result<RegExp | null, Failure> => {
  if (text === undefined) return ok(null);
  try {
    return ok(new RegExp(text, 'i'));
  } catch (error) {
    return err(usage(`-g: ${error instanceof Error ? error.message : String(error)}`, topic));
  }
};

/** Which events the options let through. */
export const filterOf = (args: Arguments, topic: string): Result<Filter, Failure> => {
  const pattern = patternOf(args.text('grep'), topic);
  if (!pattern.ok) return pattern;
  const type = args.text('type');
  const wanted = args.text('actor');
  const failed = args.flag('failed');
  return ok(
    ({ recorded, actor }) =>
      (type === undefined || recorded.event.type === type) &&
      (wanted === undefined || actorText(actor) === wanted) &&
      (!failed || FAILURES.has(recorded.event.type)) &&
      (pattern.value === null ||
        pattern.value.test(`${recorded.event.type} ${recorded.command} ${wordsOf(recorded.event)}`)),
  );
};

export const EVENT_COLUMNS = ['EVENT', 'WHEN', 'ACTOR', 'COMMAND', 'CHANGE'] as const;

/** An event as people read it, in those columns. */
export const eventRow = ({ recorded, actor }: Entry): readonly string[] => [
  `${recorded.position}`,
  localTime(recorded.time),
  actorText(actor),
  shortId(recorded.command),
  wordsOf(recorded.event),
];
