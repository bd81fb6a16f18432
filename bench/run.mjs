// npm run bench [-- --strict] [--emmett] [--events N]. bench/README.md says what is measured and how to read it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { measureCommandLine } from './command-line.mjs';
import { goalsOf, table } from './goals.mjs';
import { measure } from './measure.mjs';
import { measurePast, measureQuestions, measureReport } from './questions.mjs';
import { installRivals, RIVALS, rivalsAreInstalled } from './rivals.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const PARTS = ['commands', 'fill', 'read', 'open', 'publish', 'document', 'sessions', 'lives'];

const say = (line) => process.stderr.write(`bench: ${line}\n`);

const { values } = parseArgs({
  options: { strict: { type: 'boolean' }, emmett: { type: 'boolean' }, events: { type: 'string', default: '1000000' } },
});

const bundleInto = (outdir) =>
  build({
    entryPoints: PARTS.map((part) => join(ROOT, 'bench', `${part}.ts`)),
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    loader: { '.sql': 'text' },
    external: ['bindings'],
    logLevel: 'error',
  });

const measureAll = async (scratch) => {
  await bundleInto(scratch);
  const run = (part, ...args) => measure(join(scratch, `${part}.cjs`), args);
  const home = join(scratch, 'home');
  const file = join(home, 'ledger.db');
  say('durable commands');
  const commands = run('commands', scratch, rivalsAreInstalled() ? RIVALS : '');
  say(`a ledger of ${values.events} events`);
  const fill = run('fill', file, values.events);
  say('reading it');
  const reading = {
    replay: run('read', 'replay', file),
    rebuild: run('read', 'rebuild', file),
    verify: run('read', 'verify', file),
  };
  say('opening it, and the command line');
  const opening = (mode, times) => Array.from({ length: times }, () => run('open', mode, file));
  const open = { read: opening('read', 7), write: opening('write', 7) };
  const commandLine = measureCommandLine(ROOT, scratch, home);
  say('the questions people ask');
  const questions = measureQuestions(ROOT, home, Number(values.events));
  say('what became of 500 VMs');
  const lives = join(scratch, 'lives');
  run('lives', join(lives, 'ledger.db'), values.events);
  const past = measurePast(ROOT, lives, Number(values.events));
  const eventful = join(scratch, 'eventful');
  run('sessions', join(eventful, 'ledger.db'), '3000');
  const report = measureReport(ROOT, eventful);
  const publish = run('publish', scratch);
  const document = run('document');
  run('open', 'die', file);
  const afterKill = { read: opening('read', 3), write: opening('write', 1) };
  return { commands, fill, ...reading, open, afterKill, commandLine, questions, past, report, publish, document };
};

const main = async () => {
  if (values.emmett) installRivals(say);
  // On the checkout's file system: the one in /tmp may be memory, where a wait for the disk costs nothing.
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'bench-'));
  try {
    const goals = goalsOf(await measureAll(scratch));
    process.stdout.write(table(goals));
    if (!rivalsAreInstalled()) process.stdout.write('Emmett is not installed: npm run bench -- --emmett\n');
    if (values.strict && goals.some(({ ok }) => ok === false)) process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};
await main();
