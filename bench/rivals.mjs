import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const RIVALS = fileURLToPath(new URL('.', import.meta.url));
const ADDON = join(RIVALS, 'node_modules', 'sqlite3', 'build', 'Release', 'node_sqlite3.node');

export const rivalsAreInstalled = () => existsSync(ADDON);

const npm = (args, env = {}) =>
  spawnSync('npm', args, { cwd: RIVALS, env: { ...process.env, ...env }, stdio: ['ignore', 2, 2] }).status === 0;

/** Emmett as bench/package-lock.json has it. Its SQLite is compiled, about three minutes, where no built one can be had. */
export const installRivals = (say) => {
  if (rivalsAreInstalled()) return;
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node')) ? { npm_config_nodedir: prefix } : {};
  say('installing Emmett and compiling its SQLite, about three minutes');
  const installed =
    npm(['ci', '--ignore-scripts', '--loglevel=error']) &&
    npm(['rebuild', 'sqlite3', '--ignore-scripts=false', '--build-from-source'], headers);
  if (!installed || !rivalsAreInstalled())
    say('Emmett could not be installed, for the reasons above: going on without it');
};
