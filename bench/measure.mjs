import { spawnSync } from 'node:child_process';

/** As a user's shell starts a command, without the certificates that a build machine may load into every Node (+41 ms). */
export const environment = () => {
  const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...env } = process.env;
  return env;
};

/** The last line of a measuring process's output, as JSON; null for one that ended itself by a signal. */
export const measure = (script, args) => {
  const { stdout, signal, status, error } = spawnSync(process.execPath, [script, ...args], {
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (signal === 'SIGKILL') return null;
  if (error || status !== 0) throw new Error(`${script} ${args[0] ?? ''} ended with ${error ?? status ?? signal}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1));
};

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
