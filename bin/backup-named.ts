import { isArchive } from '../domain/backup/archive.ts';
import type { Operation } from '../domain/command/operation.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { shortId } from '../infrastructure/cli/text.ts';

const answersTo = ({ command, plan }: Operation, text: string): boolean =>
  command.startsWith(text.replace(/^cmd:/, '')) ||
  plan.main.some(({ deed }) => isArchive(deed) && deed.backup === text);

const linesOf = (operations: readonly Operation[], verb: string): string =>
  operations.map(({ command }) => `domtrail backup ${verb} ${shortId(command)}`).join('   or   ');

/**
 * The one backup among these that is meant: by the beginning of its command's id or by its backup-id, or the only one. Null:
 * none was named and there is none.
 */
export const backupNamed = (
  operations: readonly Operation[],
  text: string | undefined,
  verb: string,
): Result<Operation | null, Failure> => {
  const found = text === undefined ? operations : operations.filter((one) => answersTo(one, text));
  const [first, ...more] = found;
  if (more.length > 0)
    return err(failure('D_BAD_INPUT', `there are ${found.length} of them`, { next: linesOf(found, verb) }));
  if (first) return ok(first);
  if (text === undefined) return ok(null);
  const next = operations.length > 0 ? linesOf(operations, verb) : 'domtrail op log';
  return err(failure('D_NOT_FOUND', `${text} is no backup that is not over`, { next }));
};
