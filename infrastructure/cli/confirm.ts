import { createInterface } from 'node:readline';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Arguments } from './arguments.ts';

const ask = (question: string): Promise<string> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    lines.question(question, (answer) => {
      lines.close();
      resolve(answer);
    });
    lines.once('close', () => resolve(''));
  });

/** Asks before something is destroyed: `expected` has to be typed. Without a terminal only `--yes` will do (exit 7). */
export const confirm = async (args: Arguments, what: string, expected: string): Promise<Result<null, Failure>> => {
  if (args.flag('yes') || args.flag('plan')) return ok(null);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    return err(failure('D_NEEDS_YES', `${what}: not done without asking`, { next: 'repeat with --yes' }));
  }
  const answer = await ask(`${what}. Type ${expected} to go on: `);
  return answer.trim() === expected ? ok(null) : err(failure('D_NEEDS_YES', 'not confirmed; nothing was changed'));
};
