import type { Failure } from '../../domain/failure.ts';
import type { Result } from '../../domain/result.ts';
import { LogDamaged } from '../ledger/sqlite-failure.ts';
import { type Arguments, type OptionKinds, parseArguments, usage } from './arguments.ts';
import { out, outFailure } from './output.ts';

/** One thing a command can do: its options, its help, and the work, which gives the exit code or a failure. */
export type Action = {
  readonly options: OptionKinds;
  readonly help: string;
  readonly run: (args: Arguments) => Promise<Result<number, Failure>>;
};

const wantsJson = (argv: readonly string[]): boolean => argv.includes('--json') || argv.includes('--jsonl');

/** Parses and runs one action; every failure ends here, on stderr and as an exit code. */
export const runAction = async (action: Action, topic: string, argv: readonly string[]): Promise<number> => {
  const args = parseArguments(argv, action.options, topic);
  if (!args.ok) return outFailure(args.error, wantsJson(argv));
  if (args.value.flag('help')) {
    out(action.help);
    return 0;
  }
  try {
    const ended = await action.run(args.value);
    return ended.ok ? ended.value : outFailure(ended.error, wantsJson(argv));
  } catch (error) {
    // A log that contradicts itself shows wherever it is read; everything else that is thrown is a bug of ours.
    if (error instanceof LogDamaged) return outFailure(error.failure, wantsJson(argv));
    throw error;
  }
};

/** Options that take a value, so that the word after them is not taken for the subcommand. */
const TAKES_VALUE = new Set([
  '--home',
  '--at',
  '--db',
  '--id',
  '-m',
  '--message',
  '--wait',
  '--passphrase-file',
  '-o',
  '--output',
  '--compress',
  '--exclude',
  '--kdf-cost',
  '--stall-timeout',
  '--rename',
  '--pool',
  '--volume-pool',
  '--archive',
  '--backup',
  '--only',
  '-n',
  '--number',
]);

/** The first word that is neither an option nor its value, and what is left without it. */
export const splitSubcommand = (
  argv: readonly string[],
): { readonly word: string | undefined; readonly rest: readonly string[] } => {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (TAKES_VALUE.has(word)) index++;
    else if (!word.startsWith('-')) return { word, rest: [...argv.slice(0, index), ...argv.slice(index + 1)] };
  }
  return { word: undefined, rest: argv };
};

/** `vm start`, `volume info` ...: the word picks the action. */
export const runGroup = async (
  group: string,
  actions: Readonly<Record<string, Action>>,
  help: string,
  argv: readonly string[],
): Promise<number> => {
  const { word, rest } = splitSubcommand(argv);
  if (word === undefined) {
    if (!argv.includes('--help') && !argv.includes('-h'))
      return outFailure(usage(`${group} needs a word: ${Object.keys(actions).join(', ')}`, group), wantsJson(argv));
    out(help);
    return 0;
  }
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (!action) return outFailure(usage(`${group} has no ${JSON.stringify(word)}`, group), wantsJson(argv));
  return runAction(action, `${group} ${word}`, rest);
};
