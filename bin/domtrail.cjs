#!/usr/bin/env node
const { existsSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

const DIST = join(__dirname, '..', 'dist');
const COMMANDS = join(DIST, 'commands');
// Inside the checkout: the default lies in /tmp, where anyone may leave code for root to load.
enableCompileCache?.(join(DIST, 'compile-cache'));

const COMMAND_NAME = /^[a-z][a-z-]*$/;
const TAKES_VALUE = new Set(['--home', '--at', '--db', '--id', '--wait', '-m', '--message']);

const positionOfCommand = (argv) => {
  for (let index = 0; index < argv.length; index++) {
    if (TAKES_VALUE.has(argv[index])) index++;
    else if (!argv[index].startsWith('-')) return index;
  }
  return -1;
};

const split = (argv) => {
  const at = positionOfCommand(argv);
  if (at >= 0) return { name: argv[at], rest: argv.toSpliced(at, 1) };
  if (argv.includes('--version')) return { name: 'version', rest: argv.filter((word) => word !== '--version') };
  return { name: 'help', rest: argv.filter((word) => word !== '--help' && word !== '-h') };
};

const fail = (exitCode, code, message, next) => {
  const json = process.argv.some((word) => word === '--json' || word === '--jsonl');
  const text = json ? JSON.stringify({ error: { code, message, next } }) : `error[${code}]: ${message}\nnext: ${next}`;
  process.stderr.write(`${text}\n`);
  return exitCode;
};

const run = (argv) => {
  const { name, rest } = split(argv);
  if (!existsSync(COMMANDS)) return fail(1, 'D_NOT_BUILT', 'domtrail is not built yet', 'npm run build');
  const file = join(COMMANDS, `${name}.cjs`);
  if (!COMMAND_NAME.test(name) || !existsSync(file)) {
    return fail(64, 'D_USAGE', `there is no command ${JSON.stringify(name)}`, 'domtrail help');
  }
  return require(file).main(rest);
};

const main = async () => {
  process.exitCode = await run(process.argv.slice(2));
};
main().catch((bug) => {
  process.stderr.write(`${bug?.stack ?? bug}\n`);
  process.exitCode = 1;
});
