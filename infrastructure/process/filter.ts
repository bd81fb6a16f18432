import { feed } from './feed.ts';

/** A filter program that failed, with what it said. */
export class FilterFailed extends Error {}

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
  const { execa } = await import('execa');
  const [program, ...args] = argv;
  const child = execa(program, args, {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: 2 ** 16 },
    reject: false,
    env: { LC_ALL: 'C.UTF-8' },
    ...(signal ? { cancelSignal: signal } : {}),
  });
  let broken: unknown = null;
  // A program that ends early closes its stdin: its exit code tells, not our write.
  child.stdin.on('error', () => undefined);
  const fed = feed(pieces, child.stdin).catch((error: unknown) => {
    broken = error;
    child.kill();
  });
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const ended = await child;
    await fed;
    if (broken) throw broken;
    if (ended.exitCode !== 0)
      throw new FilterFailed(`${program}: ${ended.stderr.trim() || (ended.code ?? `exit ${ended.exitCode}`)}`);
  } finally {
    child.kill();
  }
}
