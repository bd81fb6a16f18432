import { parseArgs } from 'node:util';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

/** Options of one command: `value` ones take text, `flag` ones do not, `list` ones may be given several times. */
export type OptionKinds = Readonly<Record<string, 'value' | 'flag' | 'list'>>;

/** Options every command takes. */
const GLOBAL: OptionKinds = { home: 'value', at: 'value', db: 'value', json: 'flag', help: 'flag', wait: 'value' };
/** Options every changing command takes besides. */
export const CHANGING: OptionKinds = { plan: 'flag', id: 'value', message: 'value', yes: 'flag' };

const SHORT: Readonly<Record<string, string>> = {
  help: 'h',
  message: 'm',
  output: 'o',
  file: 'f',
  number: 'n',
  reverse: 'r',
  grep: 'g',
  boot: 'b',
};

export type Arguments = {
  readonly values: readonly string[];
  readonly text: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean;
  readonly list: (name: string) => readonly string[];
};

const describe = (kinds: OptionKinds) =>
  Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      {
        type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: kind === 'list',
        ...(SHORT[name] ? { short: SHORT[name] } : {}),
      },
    ]),
  );

export const usage = (message: string, topic: string): Failure =>
  failure('D_USAGE', message, { next: `domtrail help ${topic}`.trim() });

/** Splits a command's arguments; anything unknown is a usage failure (exit 64) that names it. */
export const parseArguments = (
  argv: readonly string[],
  kinds: OptionKinds,
  topic: string,
): Result<Arguments, Failure> => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: describe({ ...GLOBAL, ...kinds }),
      allowPositionals: true,
      strict: true,
    });
    const given = values as Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
    return ok({
      values: positionals,
      text: (name) => (typeof given[name] === 'string' ? given[name] : undefined),
      flag: (name) => given[name] === true,
      list: (name) => (Array.isArray(given[name]) ? (given[name] as readonly string[]) : []),
    });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\.\s/)[0] ?? error.message) : String(error);
    return err(usage(message, topic));
  }
};

/** Exactly so many words, or a usage failure that says which are missing. */
export const expectWords = (
  values: readonly string[],
  names: readonly string[],
  topic: string,
  optional = 0,
): Result<readonly string[], Failure> => {
  const missing = names.slice(0, names.length - optional)[values.length];
  if (missing) return err(usage(`${missing} is missing`, topic));
  const extra = values[names.length];
  return extra === undefined ? ok(values) : err(usage(`too many arguments: ${JSON.stringify(extra)}`, topic));
};
