import { counted } from '../domain/counted.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { usage } from '../infrastructure/cli/arguments.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { type Boot, bootsUpTo } from '../infrastructure/ledger/queries.ts';

const NUMBER = /^[+-]?[0-9]{1,6}$/;

/** `-b` takes a number or none, which option parsers do not know: without one it is `--boot=0`. */
export const withBootNumber = (argv: readonly string[]): readonly string[] =>
  argv.flatMap((word, index) => {
    if (word === '-b' || word === '--boot')
      return [`--boot=${NUMBER.test(argv[index + 1] ?? '') ? argv[index + 1] : 0}`];
    const before = argv[index - 1];
    return (before === '-b' || before === '--boot') && NUMBER.test(word) ? [] : [word];
  });

/**
 * Which boot of the host is meant, as journalctl has it: 0 the newest, -1 the one before, 1 the first that the log knows.
 * Without any it is everything up to `position`.
 */
export const bootOf = (ledger: Ledger, text: string | undefined, position: number): Result<Boot, Failure> => {
  if (text === undefined) return ok({ after: 0, to: position });
  if (!NUMBER.test(text)) return err(usage('-b takes a number: 0 this boot, -1 the one before', 'log'));
  const number = Number(text);
  const boots: Boot[] = [];
  for (const boot of bootsUpTo(ledger, position)) {
    boots.push(boot);
    if (number <= 0 && boots.length > -number) break;
  }
  const found = number > 0 ? boots[boots.length - number] : boots[-number];
  if (found) return ok(found);
  return err(failure('D_NOT_FOUND', `the log knows ${counted(boots.length, 'boot')} of this host up to there`));
};
