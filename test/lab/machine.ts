import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';
const QEMU = '/usr/bin/qemu-system-x86_64';

const isThere = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

const cacheOf = (env: NodeJS.ProcessEnv): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'domtrail-lab');

/** What the lab machine still needs before it can be started; null when it can be. */
const missing = (env: NodeJS.ProcessEnv): string | null => {
  if (process.getuid?.() !== 0) return 'it needs root';
  const needed = [QEMU, VIRTIOFSD, join(cacheOf(env), 'vmlinux'), join(cacheOf(env), 'initrd.cpio')];
  const gone = needed.find((path) => !isThere(path));
  return gone === undefined ? null : `${gone} is missing`;
};

export type Lab = { readonly is: 'there' } | { readonly is: 'left out' | 'required'; readonly why: string };

/**
 * Whether the tests in the lab machine run: when it is set up, unless DOMTRAIL_LAB=off. With DOMTRAIL_LAB=required a
 * machine that is not set up is a failure.
 */
export const labOf = (env: NodeJS.ProcessEnv, lacks = missing): Lab => {
  if (env['DOMTRAIL_LAB'] === 'off') return { is: 'left out', why: 'DOMTRAIL_LAB=off' };
  const why = lacks(env);
  if (why === null) return { is: 'there' };
  return { is: env['DOMTRAIL_LAB'] === 'required' ? 'required' : 'left out', why };
};

/** Every count that the promises name, and not the sample that fits into `npm test`. */
export const isFull = process.env['LAB_FULL'] === '1';

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

/** A test that has begun is let come to its end. */
const GRACE_SECONDS = 600;
const FULL_SECONDS = 4 * 3600;

/** One boot of the lab machine for some of the suites in `guest/`, with no new test after `budget` seconds (suite.mjs). */
export const inLab = async (names: readonly string[], budget: number, sample?: RegExp): Promise<Ran> => {
  const limits = isFull
    ? { LAB_SECONDS: String(FULL_SECONDS), LAB_BUDGET: '' }
    : { LAB_SECONDS: String(budget + GRACE_SECONDS), LAB_BUDGET: String(budget), LAB_SAMPLE: sample?.source ?? '' };
  const child = spawn(process.execPath, [fileURLToPath(new URL('suite.mjs', import.meta.url)), ...names], {
    env: { ...process.env, ...limits },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    err.push(chunk);
    if (process.env['LAB_WATCH'] === '1') process.stderr.write(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') };
};
