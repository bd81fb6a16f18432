import { describe, test } from 'vitest';
import { inLab, isFull, labOf } from './machine.ts';

type Status = 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
type GuestTest = {
  readonly fullName: string;
  readonly status: Status;
  readonly duration?: number | null;
  readonly failureMessages: readonly string[];
};
type GuestFile = {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly message: string;
  readonly assertionResults: readonly GuestTest[];
};

/** The report goes to a file of the guest's memory first, so that nothing else can be printed into it. */
const RUN = `node node_modules/vitest/vitest.mjs run --config test/lab/vitest.config.ts --reporter=default \
  --reporter=json --outputFile.json=/run/report.json "$@" >&2; code=$?; cat /run/report.json; exit $code`;

const LAST_LINES = 60;
const endOf = (text: string): string => text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');

const reportOf = (out: string): readonly GuestFile[] | null => {
  try {
    return (JSON.parse(out) as { readonly testResults: readonly GuestFile[] }).testResults;
  } catch {
    return null;
  }
};

const declare = ({ fullName, status, failureMessages }: GuestTest): void => {
  if (status === 'passed' || status === 'failed') {
    test(fullName, () => {
      if (status === 'failed') throw new Error(failureMessages.join('\n'));
    });
  } else test.skip(`${fullName} (${status} in the lab machine)`, () => undefined);
};

const declareFile = ({ name, status, message, assertionResults }: GuestFile, said: string): void => {
  for (const one of assertionResults) declare(one);
  // One that does not load has no tests to show.
  if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed')) {
    test(name.replace(/^.*\//, ''), () => {
      throw new Error(`${message}\n${endOf(said)}`);
    });
  }
};

/**
 * Boots one lab machine, runs suites of `test/lab/guest` in it, one after the other, and makes each of their tests one
 * of this file. To be awaited at the top of a test file: the tests are known when the machine is done. Without a lab
 * there is one skipped test that says why.
 */
export const guestSuites = async (title: string, names: readonly string[], seconds: number): Promise<void> => {
  const lab = labOf(process.env);
  if (lab.is === 'required') throw new Error(`the lab is required and not there (${lab.why}): npm run lab:setup`);
  if (lab.is === 'left out') {
    test.skip(`${title}: left out (${lab.why}); npm run lab:setup adds it`, () => undefined);
    return;
  }
  const files = names.map((name) => `test/lab/guest/${name}.guest.ts`);
  const { code, out, err } = await inLab(['bash', '-c', RUN, 'suites', ...files], isFull ? 10 * seconds : seconds, {
    LAB_FULL: isFull ? '1' : '0',
  });
  const report = reportOf(out);
  if (!report) throw new Error(`the lab machine ended with ${code} and without a report:\n${endOf(err + out)}`);
  describe(title, () => {
    for (const file of report) declareFile(file, err);
  });
};
