import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { MODULES_STAMP, modulesStamp, ROOT, writeStamp } from './stamp.mjs';

const SQLITE = join(ROOT, 'node_modules', 'better-sqlite3');
const ADDON = join(SQLITE, 'build', 'Release', 'better_sqlite3.node');
const PREBUILD_INSTALL = join(ROOT, 'node_modules', 'prebuild-install', 'bin.js');
/** A network that swallows packets must cost less than the compilation it would save. */
const DOWNLOAD_LIMIT_MS = 30_000;
const TAIL_LINES = 25;

const writable = (path) => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/** Headers come from node's own prefix where they are; caches go into the checkout for a user without a home. */
const environment = () => {
  const env = { ...process.env };
  const prefix = dirname(dirname(process.execPath));
  if (!env.npm_config_nodedir && existsSync(join(prefix, 'include', 'node'))) env.npm_config_nodedir = prefix;
  if (!writable(homedir())) {
    env.HOME = join(ROOT, '.cache');
    env.npm_config_cache = join(ROOT, '.cache', 'npm');
  }
  return env;
};

/** npm as it called us, else the one on PATH. */
const npm = (args, options) => {
  const cli = process.env.npm_execpath;
  const fixed = { cwd: ROOT, env: environment(), encoding: 'utf8', ...options };
  return cli?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [cli, ...args], fixed)
    : spawnSync('npm', args, fixed);
};

const fail = (sentence, next) => {
  process.stderr.write(`error[D_NOT_BUILT]: ${sentence}\nnext: ${next}\n`);
  process.exit(1);
};

const download = () => {
  const stdio = 'ignore';
  spawnSync(process.execPath, [PREBUILD_INSTALL], {
    cwd: SQLITE,
    env: environment(),
    stdio,
    timeout: DOWNLOAD_LIMIT_MS,
  });
  return existsSync(ADDON);
};

const compile = (say) => {
  say('no prebuilt better-sqlite3 at hand: compiling it, about a minute');
  const env = { ...environment(), npm_config_build_from_source: 'true' };
  const made = npm(['rebuild', 'better-sqlite3', '--foreground-scripts'], { env, maxBuffer: 2 ** 26 });
  if (made.status === 0 && existsSync(ADDON)) return;
  const tail = `${made.stdout ?? ''}${made.stderr ?? ''}`.trimEnd().split('\n').slice(-TAIL_LINES);
  process.stderr.write(`${tail.join('\n')}\n`);
  fail('better-sqlite3 did not compile', 'install make, g++ and python3, then run this again');
};

/** Packages exactly as locked. Their install scripts stay off; the one that matters is done here, where it cannot hang. */
export const install = (say) => {
  rmSync(MODULES_STAMP, { force: true });
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const installed = npm(args, { stdio: ['ignore', 2, 2] });
  if (installed.status !== 0) fail('npm ci failed', 'see the lines above; it needs the npm registry');
  if (!download()) compile(say);
  writeStamp(MODULES_STAMP, modulesStamp());
};
