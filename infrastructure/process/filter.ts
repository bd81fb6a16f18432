import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { feed } from './feed.ts';

/** A filter program that failed, with what it said. `exitCode` null: killed, or never started. */
export class FilterFailed extends Error {
  readonly exitCode: number | null;
  readonly said: string;
  constructor(message: string, exitCode: number | null, said: string) {
    super(message);
    this.exitCode = exitCode;
    this.said = said;
  }
}

const MOST_SAID = 2 ** 16;

/** The beginning of what a program says; the rest is let go, because a full pipe would stop it. */
const listening = (stderr: Readable): (() => string) => {
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MOST_SAID) said = (said + text).slice(0, MOST_SAID);
  });
  return () => said.trim();
};

/** How a program ended, in a few words. */
type Ending = { readonly exitCode: number | null; readonly how: string };

const endOf = (child: ChildProcess): Promise<Ending> =>
  new Promise((resolve) => {
    child.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve({ exitCode: null, how: code ?? message }));
    child.on('close', (code, signal) => resolve({ exitCode: code, how: signal ?? `exit ${code}` }));
  });

/**
 * Pieces piped through a program that reads stdin and writes stdout. Throws `FilterFailed` when it cannot be started or does
 * not end with 0, and whatever the source throws. The program is stopped when the reader has enough, or when the signal says
 * so.
 */
export async function* throughFilter(
  argv: readonly [string, ...string[]],
  pieces: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const [program, ...args] = argv;
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  const child = spawn(program, args, { stdio: 'pipe', env, ...(signal ? { signal } : {}) });
  const ending = endOf(child);
  const said = listening(child.stderr);
  let broken: unknown = null;
  // A program that ends early closes its stdin: its exit code tells, not our write.
  child.stdin.on('error', () => undefined);
  const fed = feed(pieces, child.stdin).catch((error: unknown) => {
    broken = error;
    child.kill();
  });
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const { exitCode, how } = await ending;
    await fed;
    if (broken) throw broken;
    if (exitCode !== 0) throw new FilterFailed(`${program}: ${said() || how}`, exitCode, said());
  } finally {
    child.kill();
  }
}
