import { describe, test } from 'vitest';
import { inLab, labOf } from './machine.ts';

type GuestTest = {
  readonly fullName: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly failureMessages: readonly string[];
  readonly seconds: number;
  readonly why?: string;
};
type Line = GuestTest | { readonly complete: string };

const LAST_LINES = 60;
const endOf = (text: string): string => text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');

/** A machine that was stopped in the middle leaves half a line at the end. */
const linesIn = (out: string): readonly Line[] => {
  const whole = out.slice(0, out.lastIndexOf('\n') + 1).split('\n');
  return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
};

const declare = ({ fullName, status, failureMessages, why }: GuestTest): void => {
  if (status === 'skipped') {
    test.skip(`${fullName} (left out: ${why || 'no reason given'})`, () => undefined);
    return;
  }
  test(fullName, () => {
    if (status === 'failed') throw new Error(failureMessages.join('\n'));
  });
};

/** Where the time went: `lab: contract, words: 24 tests, 0 left out, 212 s`. */
const summary = (names: readonly string[], lines: readonly Line[]): string => {
  const tests = lines.flatMap((line) => ('fullName' in line ? [line] : []));
  const skipped = tests.filter(({ status }) => status === 'skipped').length;
  const seconds = tests.reduce((sum, one) => sum + one.seconds, 0);
  return `lab: ${names.join(', ')}: ${tests.length - skipped} tests, ${skipped} left out, ${Math.round(seconds)} s`;
};

/**
 * Boots one lab machine, runs suites of `test/lab/guest` in it, one after the other, and makes each of their tests one
 * of this file. To be awaited at the top of a test file: the tests are known when the machine is done. Without a lab
 * there is one skipped test that says why. LAB_ONLY, a regular expression, chooses tests by name; with LAB_WATCH=1 the
 * machine's progress is shown.
 *
 * Only tests whose names match `sample` run, and once the machine is `budget` seconds old no further one begins; what is
 * left out says so. The full counts of `npm run lab:full` know neither.
 */
export const guestSuites = async (
  title: string,
  names: readonly string[],
  budget: number,
  sample?: RegExp,
): Promise<void> => {
  const lab = labOf(process.env);
  if (lab.is === 'required') throw new Error(`the lab is required and not there (${lab.why}): npm run lab:setup`);
  if (lab.is === 'left out') {
    test.skip(`${title}: left out (${lab.why}); npm run lab:setup adds it`, () => undefined);
    return;
  }
  const { code, out, err } = await inLab(names, budget, sample);
  const lines = linesIn(out);
  process.stderr.write(`${summary(names, lines)}\n`);
  const complete = lines.flatMap((line) => ('complete' in line ? [line.complete] : []));
  describe(title, () => {
    for (const line of lines) if ('fullName' in line) declare(line);
    if (lines.every((line) => !('fullName' in line) || line.status === 'skipped')) {
      test('the lab machine is fast enough for one test', () => {
        throw new Error(`it left out all of them (${code}):\n${endOf(err)}`);
      });
    }
    // One that does not load, or that the machine did not come to the end of, has no tests to show.
    for (const name of names.filter((one) => !complete.includes(one))) {
      test(`the lab machine comes to the end of ${name}`, () => {
        throw new Error(`it ended with ${code} before that:\n${endOf(err)}`);
      });
    }
  });
};
