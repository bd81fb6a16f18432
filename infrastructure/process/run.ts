import type { Evidence } from '../../domain/command/events.ts';
import { feed } from './feed.ts';

/**
 * `input`: text for stdin. `feed`: bytes for stdin, piece by piece; must not throw. `stdin`, `stdout`: open file
 * descriptors the program uses directly (stdout is then empty in the result). `env`: what the program gets besides our own
 * environment. `maxBytes`: most that the program may print; one that prints more is stopped. `timeoutMs`: 0 is for ever.
 */
export type RunOptions = {
  readonly input?: string;
  readonly feed?: AsyncIterable<Buffer>;
  readonly stdin?: number;
  readonly stdout?: number;
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** what the program gets besides our own environment */
  readonly env?: Readonly<Record<string, string>>;
  /** gets each line of stderr as it comes, ended by a return or a newline; true: it was for this alone and is not kept */
  readonly watch?: (line: string) => boolean;
  /** gets each line of stdout as it comes, without its newline; nothing of it is kept. Must not throw */
  readonly eachLine?: (line: string) => void;
};

/** What ran and what it printed. `argv` of the evidence holds the one command; null as exit code: killed or stopped. */
export type Ran = { readonly evidence: Evidence; readonly stdout: string };

/** Exit code of a shell for "command not found"; programs that cannot be started are reported with it. */
export const NOT_STARTED = 127;

const MAX_STDOUT = 64 * 2 ** 20;
const MAX_STDERR = 2 ** 20;
const KEPT_STDERR = 8192;

/**
 * Messages must read the same everywhere because drivers look into them; LANGUAGE would translate them in spite of
 * LC_ALL on some C libraries. lvm complains about every file descriptor it inherits unless told not to.
 */
export const ENVIRONMENT = { LC_ALL: 'C.UTF-8', LANGUAGE: '', LVM_SUPPRESS_FD_WARNINGS: '1' };

/** The log keeps stderr, so it is bounded: its beginning names the cause, its end the outcome. */
const bounded = (text: string): string =>
  text.length <= KEPT_STDERR ? text : `${text.slice(0, KEPT_STDERR / 2)}\n[...]\n${text.slice(-KEPT_STDERR / 2)}`;

type Outcome = {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly isMaxBuffer: boolean;
  readonly timedOut: boolean;
};

/** What the program itself could not say about its end, as lines to add to its stderr. */
const epitaph = (
  program: string,
  { code, signal, isMaxBuffer, timedOut }: Outcome,
  timeoutMs: number,
): readonly string[] => {
  if (timedOut) return [`${program}: stopped after ${timeoutMs} ms`];
  if (isMaxBuffer) return [`${program}: stopped because it printed too much`];
  if (code === 'ENOENT') return [`${program}: command not found`];
  if (signal) return [`${program}: killed by ${signal}`];
  return code ? [`${program}: could not be started (${code})`] : [];
};

/** Whatever a stopped program says in the end, what it printed is not complete. */
const exitCodeOf = ({ exitCode, code, isMaxBuffer, timedOut, signal }: Outcome): number | null => {
  if (isMaxBuffer || timedOut) return null;
  return exitCode ?? (code && !signal ? NOT_STARTED : null);
};

/** execa hands any descriptor on; its types name those up to 9 only. */
type Descriptor = 3;
const descriptor = (fd: number): Descriptor => fd as Descriptor;

const stdinOf = ({ input, feed: pieces, stdin }: RunOptions) => {
  if (input !== undefined) return { input };
  if (pieces) return { stdin: 'pipe' as const };
  return { stdin: stdin === undefined ? ('ignore' as const) : descriptor(stdin) };
};

/** Keeps what a long-running program says on stderr, but for the lines that were only for the watcher. */
const watching = (watch: (line: string) => boolean) => {
  let kept = '';
  let rest = '';
  const take = (line: string): void => {
    if (line !== '' && !watch(line)) kept = bounded(`${kept}${line}\n`);
  };
  return {
    heard: (text: string): void => {
      const lines = `${rest}${text}`.split(/[\r\n]/);
      rest = (lines.pop() ?? '').slice(-KEPT_STDERR);
      lines.forEach(take);
    },
    text: (): string => {
      take(rest);
      return kept;
    },
  };
};

const LONGEST_LINE = 2 ** 16;

/** Cuts text into lines as it comes; what has no newline at its end, or is too long, comes in pieces. */
const inLines = (each: (line: string) => void) => {
  let rest = '';
  return {
    heard: (text: string): void => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(each);
      if (rest.length > LONGEST_LINE) {
        each(rest);
        rest = '';
      }
    },
    end: (): void => {
      if (rest !== '') each(rest);
    },
  };
};

/**
 * Runs one external program and waits for it. Never rejects: what goes wrong is in the evidence. No shell is involved,
 * and a program is not stopped when this process ends, because killing lvm in the middle damages pool metadata.
 */
export const run = async (argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<Ran> => {
  const { execa } = await import('execa');
  const [program, ...args] = argv;
  const timeoutMs = options.timeoutMs ?? 0;
  const started = performance.now();
  const watched = options.watch ? watching(options.watch) : null;
  const lines = options.eachLine ? inLines(options.eachLine) : null;
  const running = execa(program, args, {
    ...stdinOf(options),
    stdout: options.stdout === undefined ? 'pipe' : descriptor(options.stdout),
    stderr: 'pipe',
    env: { ...ENVIRONMENT, ...options.env },
    reject: false,
    cleanup: false,
    stripFinalNewline: false,
    buffer: { stdout: lines === null, stderr: watched === null },
    maxBuffer: { stdout: options.maxBytes ?? MAX_STDOUT, stderr: MAX_STDERR },
    timeout: timeoutMs,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (lines) running.stdout?.setEncoding('utf8').on('data', lines.heard);
  if (watched) running.stderr.setEncoding('utf8').on('data', watched.heard);
  if (options.feed && running.stdin) {
    // A program that ends early closes its stdin: its exit code tells, not our write.
    running.stdin.on('error', () => undefined);
    await feed(options.feed, running.stdin);
  }
  const outcome = await running;
  lines?.end();
  const said = [watched?.text() ?? outcome.stderr ?? '', ...epitaph(program, outcome, timeoutMs)].filter(
    (part) => part !== '',
  );
  return {
    evidence: {
      argv: [[...argv]],
      exitCode: exitCodeOf(outcome),
      stderr: bounded(said.join('\n')),
      durationMs: Math.round(performance.now() - started),
    },
    stdout: outcome.stdout ?? '',
  };
};
