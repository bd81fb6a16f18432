import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// suite.mjs NAME...   runs suites of test/lab/guest in one lab machine: progress on stderr, results as JSON lines on
// stdout. LAB_ONLY='REGEXP' chooses tests by name, LAB_SECONDS is the longest that all may take, after LAB_BUDGET seconds
// no further test begins, LAB_FULL=1 is for every count. The exit code is that of the machine; failed tests are only in the results.

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const DIR = join(CHECKOUT, '.cache', `lab-${process.pid}`);

/** CommonJS packages in the bundle ask for Node's own modules with `require`. */
const BANNER = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

const entry = (name) => `
import { runAll } from 'vitest';
import './test/lab/guest/${name}.guest.ts';
await runAll(${JSON.stringify(name)}, new RegExp(process.env.LAB_ONLY ?? ''));
`;

/**
 * One file per suite, made on the host and with a runner of its own: reading and translating hundreds of modules, and
 * starting vitest, takes the lab machine a minute. It lies in the checkout, where its imports find node_modules, under a
 * name of its own, because a file must not change while a machine may look at it.
 */
const bundled = async (name) => {
  const outfile = join(DIR, `${name}.mjs`);
  await build({
    stdin: { contents: entry(name), resolveDir: CHECKOUT, loader: 'ts' },
    outfile,
    absWorkingDir: CHECKOUT,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    loader: { '.sql': 'text' },
    alias: { vitest: join(CHECKOUT, 'test/lab/guest/runner.ts') },
    external: ['better-sqlite3', 'bindings'],
    banner: { js: BANNER },
    logLevel: 'warning',
  });
  return outfile;
};

const machine = (files) => {
  const env = ['LAB_FULL', 'LAB_ONLY', 'LAB_BUDGET', 'LAB_SAMPLE', 'LAB_COMMANDS'].map(
    (name) => `${name}=${process.env[name] ?? ''}`,
  );
  const words = ['env', ...env, `DOMTRAIL_BIN=${join(CHECKOUT, 'bin/domtrail.cjs')}`];
  const loop = ['bash', '-c', 'for suite; do node "$suite"; done', 'suites', ...files];
  return spawn(join(CHECKOUT, 'test/lab/lab.sh'), [...words, ...loop], { cwd: CHECKOUT, stdio: ['ignore', 1, 2] });
};

try {
  const files = [];
  for (const name of process.argv.slice(2)) files.push(await bundled(name));
  process.exitCode = await new Promise((resolve) => machine(files).on('close', resolve));
} finally {
  rmSync(DIR, { recursive: true, force: true });
}
