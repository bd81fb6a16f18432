import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isFull, labOf } from './machine.ts';

const RUN = fileURLToPath(new URL('host/run.mjs', import.meta.url));

/** What `npm run lab:crash` and its brothers say; a failure is thrown with all of it. */
export const said = async (...argv: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, ...argv], { maxBuffer: 2 ** 24 });
  return stdout;
};

/** Milliseconds for one of these tests: the full counts take hours. */
export const PATIENCE = isFull ? 12 * 3_600_000 : 1_200_000;

/** Whether the machine is there, and why not as a title says it. Throws when it is required and is not. */
export const hostDriver = (): { readonly isThere: boolean; readonly why: string } => {
  const lab = labOf(process.env);
  if (lab.is === 'required') throw new Error(`the lab is required and not there (${lab.why}): npm run lab:setup`);
  if (lab.is === 'there') return { isThere: true, why: '' };
  return { isThere: false, why: ` (left out: ${lab.why}; npm run lab:setup adds it)` };
};
