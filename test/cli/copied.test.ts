import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DOMTRAIL,
  type Ended,
  environment,
  homeWithWork,
  runProgram,
  scratchDirectory,
  type Terminal,
} from './terminal.ts';

const EVENTS = ['log', '--jsonl'];

/** Every command that reads, with what it ends with; those that say how things were are asked again later, with `--at`. */
const READING: readonly (readonly [ends: number, ...argv: string[]])[] = [
  [0, 'status'],
  [0, ...EVENTS, '-b', '-r', '-n', '9', '--since', '2020-01-01', '--until', 'ev:40', '-g', 'work'],
  [0, 'log', 'work', '--commands', '--json'],
  [0, 'show', 'ev:5', '--json'],
  [0, 'why', 'work:private', '--json'],
  [0, 'blame', 'work:private', '--json'],
  [0, 'lineage', 'work:private', '--json'],
  [0, 'xml'],
  [0, 'vm', 'list', '--json'],
  [0, 'vm', 'prefs', 'work', '--json'],
  [0, 'volume', 'list', '--json'],
  [0, 'volume', 'info', 'work:private', '--json'],
  [0, 'firewall', 'get', 'work', '--json'],
  [0, 'pool', 'list', '--json'],
  [0, 'replay', '--state', '--json'],
];

const ASKED_ONCE: readonly (readonly [ends: number, ...argv: string[]])[] = [
  [0, ...EVENTS, 'work:private', '--failed', '--actor', 'root', '--type', 'StepFailed'],
  [0, 'show', 'cmd:the-start', '--json'],
  [0, 'firewall', 'entries', 'work', '--json'],
  [2, 'diff', 'ev:1', '@', '--json'],
  [0, 'report', '--html', '-o', '-'],
  [0, 'stats', '--json'],
  [0, 'retention', '--json'],
  [0, 'op', 'log', '--json'],
  [0, 'op', 'show', '@', '--json'],
  [0, 'replay'],
  [0, 'replay', '--model'],
  [3, 'bisect', 'run'],
  [0, 'verify', '--json'],
  [0, 'witness'],
];

const asked = ([ends, ...argv]: readonly [number, ...string[]]) => ({ ends, argv, words: argv.join(' ') });

let terminal: Terminal;
let early: string;
let late: string;
let position: number;
let bytes: Buffer;
const answers = new Map<string, Ended>();

const copyOf = async (name: string): Promise<string> => {
  const directory = join(await scratchDirectory(), name);
  mkdirSync(directory);
  const copy = join(directory, 'ledger.db');
  copyFileSync(join(terminal.home, 'ledger.db'), copy);
  chmodSync(copy, 0o444);
  chmodSync(directory, 0o555);
  chmodSync(join(directory, '..'), 0o755);
  return copy;
};

/** Asks as somebody who may write nothing and has no home. */
const ask = (argv: readonly string[], db: string): Promise<Ended> =>
  runProgram([process.execPath, DOMTRAIL, ...argv, '--db', db], environment('/nonexistent'), {
    cwd: '/',
    ...(process.getuid?.() === 0 ? { user: 65534 } : {}),
  });

/** Where the copy lies is no part of the answer. */
const answer = ({ out, err }: Ended, db: string): string => (out + err).replaceAll(db, 'DB');

beforeAll(async () => {
  terminal = await homeWithWork();
  await terminal.does('vm', 'prefs', 'work', 'vcpus', '3');
  await terminal.does('vm', 'start', 'work', '--id', 'the-start', '-m', 'good morning');
  await terminal.does('vm', 'stop', 'work');
  await terminal.run(['vm', 'start', 'nobody']);
  await terminal.does('firewall', 'set', 'work', 'action=accept dsthost=example.com', 'action=drop');
  position = (await terminal.document('vm', 'list')).as_of.event;
  early = await copyOf('early');
  bytes = readFileSync(early);
  await terminal.does('vm', 'prefs', 'work', 'vcpus', '4');
  await terminal.does('volume', 'resize', 'work:private', '3G');
  await terminal.does('firewall', 'set', 'work', 'action=accept');
  await terminal.does('vm', 'start', 'work');
  late = await copyOf('late');
}, 120_000);

afterAll(() => {
  for (const copy of [early, late]) chmodSync(join(copy, '..'), 0o755);
});

describe('on a copy that cannot be written, without a home,', () => {
  test.each([...READING, ...ASKED_ONCE].map(asked))('$words', async ({ ends, argv }) => {
    const ended = await ask(argv, early);
    // A note is no failure; only bisect ends in one.
    expect(ended.err).toMatch(ends === 3 ? /^error/ : /^(note: .*\n)?$/);
    expect(ended.code).toBe(ends);
    answers.set(argv.join(' '), ended);
  });

  test('nothing is changed and nothing left beside it', () => {
    expect(readdirSync(join(early, '..'))).toEqual(['ledger.db']);
    expect(readFileSync(early).equals(bytes)).toBe(true);
  });
});

describe('on a later copy, with --at the moment of the first one,', () => {
  test.each(READING.map(asked))('$words answers the same', async ({ ends, argv }) => {
    const before = answers.get(argv.join(' '));
    const ended = await ask([...argv, '--at', `ev:${position}`], late);
    expect(ended.code).toBe(ends);
    expect(answer(ended, late)).toBe(before && answer(before, early));
  });
});
