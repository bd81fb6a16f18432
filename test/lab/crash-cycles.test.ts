import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { isFull, labOf } from './machine.ts';

const RUN = fileURLToPath(new URL('host/run.mjs', import.meta.url));
const PATIENCE = isFull ? 4 * 3_600_000 : 900_000;

const lab = labOf(process.env);
if (lab.is === 'required') throw new Error(`the lab is required and not there (${lab.why}): npm run lab:setup`);
const why = lab.is === 'there' ? '' : ` (left out: ${lab.why}; npm run lab:setup adds it)`;

/** What `npm run lab:crash` and its brothers say; a failure is thrown with all of it. */
const said = async (...argv: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...argv], { maxBuffer: 2 ** 24 });
  return stdout;
};

/** The counts that the promises name, and the sample that fits into `npm test`. */
const cycles = (full: number): string => (isFull ? `${full}` : '1');

describe.skipIf(lab.is !== 'there')(`dom0 dies and comes back${why}`, () => {
  test('killed at a random instant under load: no acknowledged command is lost', { timeout: PATIENCE }, async () => {
    expect(await said('crash', '--cycles', cycles(30))).toContain('none lost');
  });

  test.each(isFull ? ['none', 'prefix', 'random'] : ['random'])(
    'the power fails, and of what was not flushed survives: %s',
    { timeout: PATIENCE },
    async (power) => {
      expect(await said('crash', '--cycles', cycles(20), '--power', power)).toContain('none lost');
    },
  );
});
