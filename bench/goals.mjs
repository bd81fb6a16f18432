import { median } from './measure.mjs';

/** `ok` null: not measured here. */
const goal = (what, wanted, measured, ok, note) => ({ what, wanted, measured, ok, note });

const atMost = (what, limit, value, text, note = '') =>
  value === null || value === undefined
    ? goal(what, `<= ${text(limit)}`, '-', null, note)
    : goal(what, `<= ${text(limit)}`, text(value), value <= limit, note);

const atLeast = (what, limit, value, text, note = '') =>
  value === null || value === undefined
    ? goal(what, `>= ${text(limit)}`, '-', null, note)
    : goal(what, `>= ${text(limit)}`, text(value), value >= limit, note);

const times = (value) => `${value.toFixed(2)} x`;
const perSecond = (value) => `${Math.round(value / 1000)} k/s`;
const milliseconds = (value) => `${value.toFixed(1)} ms`;
const seconds = (value) => `${value.toFixed(2)} s`;
const micros = ({ wall, cpu }) => `${Math.round(wall)} us wall, ${Math.round(cpu)} us cpu`;

const commandGoals = ({ micros: each, singleToFloor, queuedToSingle, emmettToSingle }) => [
  atMost(
    'a durable command / append + fdatasync of 4 KiB',
    1.3,
    singleToFloor,
    times,
    `${micros(each.single)}; floor ${micros(each.floor)}`,
  ),
  atLeast(
    'Emmett (shared connection, FULL) / a durable command',
    2.3,
    emmettToSingle?.wall,
    times,
    each.emmett ? `${micros(each.emmett)}; cpu ${times(emmettToSingle.cpu)}` : '',
  ),
  atMost('100 queued commands / 100 single ones', 0.2, queuedToSingle, times, micros(each.queued)),
];

const readGoals = ({ replay, rebuild, verify }) => [
  atLeast(
    'replay with fold, events per cpu second',
    350_000,
    replay.fold.perCpuSecond,
    perSecond,
    `${times(replay.foldToRaw)} of rows + JSON.parse (${perSecond(replay.raw.perCpuSecond)}); wall ${perSecond(replay.fold.perSecond)}`,
  ),
  ...Object.entries(rebuild.rates).map(([name, { perCpuSecond, perSecond: wall }]) =>
    atLeast(`rebuild of ${name}, events per cpu second`, 250_000, perCpuSecond, perSecond, `wall ${perSecond(wall)}`),
  ),
  atMost(
    'verify the chain of a million events, cpu',
    4,
    (verify.chain.cpuMs / verify.events) * 1000,
    seconds,
    `with order, digests and fold in the same pass`,
  ),
];

const openGoals = ({ open, afterKill, commandLine }) => [
  atMost(
    'open the ledger to read, above process start',
    5,
    median(open.read.map(({ wallMs }) => wallMs)),
    milliseconds,
    commandLine ? `process against process ${milliseconds(commandLine.openAboveStart)}` : '',
  ),
  atMost(
    'open the ledger to write, above process start',
    5,
    median(open.write.map(({ wallMs }) => wallMs)),
    milliseconds,
  ),
  atMost(
    'open after SIGKILL with an 84 MB log, to read',
    150,
    median(afterKill.read.map(({ wallMs }) => wallMs)),
    milliseconds,
  ),
  atMost(
    'open after SIGKILL with an 84 MB log, to write',
    150,
    median(afterKill.write.map(({ wallMs }) => wallMs)),
    milliseconds,
  ),
];

const commandLineGoals = ({ commandLine }) => [
  atMost(
    'status / an empty node start, cpu',
    1.5,
    commandLine?.statusToEmpty,
    times,
    commandLine ? `${milliseconds(commandLine.cpu.status)} and ${milliseconds(commandLine.cpu.empty)}` : '',
  ),
  atMost(
    'status / the same screen in Python, cpu',
    1 / 3,
    commandLine?.statusToPython,
    times,
    commandLine?.cpu.python ? `${milliseconds(commandLine.cpu.python)}; see status.py` : '',
  ),
];

export const goalsOf = (measured) => [
  ...commandGoals(measured.commands),
  ...readGoals(measured),
  ...openGoals(measured),
  ...commandLineGoals(measured),
];

const WORD = new Map([
  [true, 'ok'],
  [false, 'BAD'],
  [null, '-'],
]);

export const table = (goals) => {
  const width = Math.max(...goals.map(({ what }) => what.length));
  const lines = goals.map(({ what, wanted, measured, ok, note }) =>
    `${WORD.get(ok).padEnd(4)} ${what.padEnd(width)}  ${wanted.padEnd(11)} ${measured.padEnd(10)} ${note}`.trimEnd(),
  );
  return `${lines.join('\n')}\n`;
};
