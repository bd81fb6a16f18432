import { type ChildProcess, spawn } from 'node:child_process';
import { feed } from './feed.ts';

/** A filter program that failed, with what it said. */
export class FilterFailed extends Error {}

const KEPT_STDERR = 2 ** 16;

/** Keeps the beginning of what a program says on stderr. */
const listening = ({ stderr }: ChildProcess): (() => string) => {
  let said = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, KEPT_STDERR);
  });
  return () => said.trim();
};

/** Null: it ended with 0. Otherwise how it ended, in a few words. */
const endOf = (child: ChildProcess): Promise<string | null> =>
  new Promise((resolve) => {
    child.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
    child.on('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit ${code}`)));
  });

/** What a program prints. One that was never started has closed its stdout before its end: how it ended tells. */
async function* printed({ stdout }: ChildProcess): AsyncGenerator<Buffer> {
  try {
    for await (const piece of stdout ?? []) yield piece as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

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
  const said = listening(child);
  const ended = endOf(child);
  let broken: unknown = null;
  // A program that ends early closes its stdin: its exit code tells, not our write.
  child.stdin.on('error', () => undefined);
  const fed = feed(pieces, child.stdin).catch((error: unknown) => {
    broken = error;
    child.kill();
  });
  try {
    yield* printed(child);
    const ending = await ended;
    await fed;
    if (broken) throw broken;
    if (ending !== null) throw new FilterFailed(`${program}: ${said() || ending}`);
  } finally {
    child.kill();
  }
}
