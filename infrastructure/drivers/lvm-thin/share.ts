import type { Argv } from './argv.ts';
import { type Script, startScript } from './script.ts';
import type { Run } from './work.ts';

/** lvm2 2.03.16 refuses a line of a script with more than 255 bytes, its end included. */
const LONGEST_LINE = 253;

/** Long enough for the steps of a plan to follow each other, short enough that no idle lvm is met later. */
const IDLE_MS = 2000;

const quoted = (word: string): string | null => {
  if (/[\n\0]/.test(word)) return null;
  if (/^[A-Za-z0-9_+./=:,@%-]+$/.test(word)) return word;
  // lvm knows no escapes inside quotes, and only a quote at the beginning of a word counts.
  return word.includes("'") ? null : `'${word}'`;
};

/** A command as one line of a script; null where it does not fit or cannot be quoted. */
export const lineOf = (words: readonly string[]): string | null => {
  const quotes = words.map(quoted);
  if (quotes.includes(null)) return null;
  const line = quotes.join(' ');
  return Buffer.byteLength(line) <= LONGEST_LINE ? line : null;
};

/** Splits `sudo lvm lvs ...` into the program and the command's words. */
const splitAtLvm = (argv: Argv): { readonly program: Argv; readonly words: readonly string[] } | null => {
  const at = argv.indexOf('lvm');
  if (at < 0 || at === argv.length - 1) return null;
  const [first, ...rest] = argv.slice(0, at + 1);
  return first === undefined ? null : { program: [first, ...rest], words: argv.slice(at + 1) };
};

/**
 * Runs lvm commands one after the other in one process that stays for the next. Starting lvm costs more than what most
 * of its commands do (docs/adr: lvm). Each command still has its exit code, its own stderr and its own duration. After
 * a command that fails, and after one that is killed, the next one gets a new process. What cannot be said in a line
 * of a script, and everything where scripts do not work, runs through `alone`.
 */
export const sharedLvm = (alone: Run): Run => {
  let script: Promise<Script | null> | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | undefined;
  let works = true;
  const current = async (program: Argv): Promise<Script | null> => {
    if ((await script)?.alive()) return script;
    script = startScript(program, alone);
    works = (await script) !== null;
    return script;
  };
  const rest = (one: Script): void => {
    idle = setTimeout(one.end, IDLE_MS).unref();
  };
  const ask = async (argv: Argv, program: Argv, line: string) => {
    clearTimeout(idle);
    const one = works ? await current(program) : null;
    if (!one) return alone(argv);
    const began = performance.now();
    const { exitCode, stdout, stderr } = await one.ask(line);
    rest(one);
    return {
      evidence: { argv: [[...argv]], exitCode, stderr, durationMs: Math.round(performance.now() - began) },
      stdout,
    };
  };
  return (argv, options) => {
    const split = splitAtLvm(argv);
    const line = split && options === undefined ? lineOf(split.words) : null;
    if (!split || line === null) return alone(argv, options);
    const answer = turn.then(() => ask(argv, split.program, line));
    turn = answer.catch(() => undefined);
    return answer;
  };
};
