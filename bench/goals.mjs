import { median } from './measure.mjs';

/** One row: `most` or `least` is the goal, `as` writes a number, `value` null or undefined was not measured here. */
const goal = ({ what, most, least, value, as, note = '' }) => {
  const wanted = most === undefined ? `>= ${as(least)}` : `<= ${as(most)}`;
  if (value === null || value === undefined) return { what, wanted, measured: '-', ok: null, note };
  return { what, wanted, measured: as(value), ok: most === undefined ? value >= least : value <= most, note };
};

const times = (value) => `${value.toFixed(2)} x`;
const perSecond = (value) => `${Math.round(value / 1000)} k/s`;
const milliseconds = (value) => `${value.toFixed(1)} ms`;
const seconds = (value) => `${value.toFixed(2)} s`;
const micros = ({ wall, cpu }) => `${Math.round(wall)} us wall, ${Math.round(cpu)} us cpu`;

const commandGoals = ({ micros: each, singleToFloor, queuedToSingle, emmettToSingle }) => [
  {
    what: 'a durable command / append + fdatasync of 4 KiB',
    most: 1.3,
    value: singleToFloor,
    as: times,
    note: `${micros(each.single)}; floor ${micros(each.floor)}`,
  },
  {
    what: 'Emmett (shared connection, FULL) / a durable command',
    least: 2.3,
    value: emmettToSingle?.wall,
    as: times,
    note: emmettToSingle ? `${micros(each.emmett)}; cpu ${times(emmettToSingle.cpu)}` : 'npm run bench -- --emmett',
  },
  {
    what: '100 queued commands / 100 single ones',
    most: 0.2,
    value: queuedToSingle,
    as: times,
    note: micros(each.queued),
  },
];

/** The goals were set where rows and JSON.parse gave 538,000 events a second: the ratio holds on any machine. */
const readGoals = ({ replay, rebuild, verify }) => [
  {
    what: 'replay with fold, events per cpu second',
    least: 350_000,
    value: replay.fold.perCpuSecond,
    as: perSecond,
    note: `${times(replay.foldToRaw)} of rows + JSON.parse, ${perSecond(replay.raw.perCpuSecond)} (the goal: 1.54 x)`,
  },
  ...Object.entries(rebuild.rates).map(([name, rate]) => ({
    what: `rebuild of ${name}, events per cpu second`,
    least: 250_000,
    value: rate.perCpuSecond,
    as: perSecond,
    note: `${times(replay.raw.perCpuSecond / rate.perCpuSecond)} of rows + JSON.parse (the goal: 2.15 x)`,
  })),
  {
    what: 'verify a million events, cpu',
    most: 4,
    value: (verify.chain.cpuMs / verify.events) * 1000,
    as: seconds,
    note: `${times((verify.chain.cpuMs * replay.raw.perCpuSecond) / (verify.events * 1000))} of rows + JSON.parse (the goal: 2.15 x); with order, digests, fold`,
  },
];

const openGoals = ({ open, afterKill, commandLine }) => {
  const opened = (tries) => median(tries.map(({ wallMs }) => wallMs));
  const note = commandLine ? `process against process ${milliseconds(commandLine.openAboveStart)}` : '';
  const killed = 'open after SIGKILL with an 84 MB log,';
  return [
    { what: 'open to read, above process start', most: 5, value: opened(open.read), as: milliseconds, note },
    { what: 'open to write, above process start', most: 5, value: opened(open.write), as: milliseconds },
    { what: `${killed} to read`, most: 150, value: opened(afterKill.read), as: milliseconds },
    { what: `${killed} to write`, most: 150, value: opened(afterKill.write), as: milliseconds },
  ];
};

const commandLineGoals = ({ commandLine }) => {
  const { status, empty, python } = commandLine?.cpu ?? {};
  return [
    {
      what: 'status / an empty node start, cpu',
      most: 1.5,
      value: commandLine?.statusToEmpty,
      as: times,
      note: commandLine ? `${milliseconds(status)} and ${milliseconds(empty)}` : '',
    },
    {
      what: 'status / the same screen in Python, cpu',
      most: 1 / 3,
      value: commandLine?.statusToPython,
      as: times,
      note: python ? `${milliseconds(python)}; what it is: bench/status.py` : '',
    },
    {
      what: 'firewall check of 10,000 rules, cpu',
      most: 1,
      value: commandLine ? commandLine.cpu.firewall / 1000 : null,
      as: seconds,
      note: commandLine ? `${times(commandLine.firewallToEmpty)} of an empty node start` : '',
    },
  ];
};

const questionGoals = ({ questions }) => {
  const scaled = (cpuMs) => (questions ? ((cpuMs / questions.events) * 1_000_000) / 1000 : null);
  const million = 'for a million events';
  return [
    ...['log', 'blame', 'why', 'show'].map((name) => ({
      what: `${name} of one object / status, cpu`,
      most: 1.5,
      value: questions?.toStatus[name],
      as: times,
    })),
    { what: '--at a late event, cpu', most: 3, value: scaled(questions?.at), as: seconds, note: million },
    {
      what: 'replay with deciders and invariants, events per cpu second',
      least: 100_000,
      value: questions ? (questions.events * 1000) / questions.replay : null,
      as: perSecond,
    },
    {
      what: 'bisect by invariants, cpu',
      most: 10,
      value: scaled(questions?.bisectInvariants),
      as: seconds,
      note: million,
    },
    {
      what: 'bisect by a program that reads the state, cpu',
      most: 10,
      value: scaled(questions?.bisectProgram),
      as: seconds,
      note: `${million}; with all the program's own runs`,
    },
  ];
};

const pastGoals = ({ past }) => {
  const note = 'for a million events of 500 VMs that start and stop';
  const scaled = (cpuMs) => (past ? ((cpuMs / past.events) * 1_000_000) / 1000 : null);
  return [
    ...['lineage', 'why', 'blame'].map((name) => ({
      what: `${name} of a volume --at a late event, cpu`,
      most: 3,
      value: past ? past[name] / 1000 : null,
      as: seconds,
      note,
    })),
    { what: 'log of a volume -n 20 / status, cpu', most: 1.5, value: past?.logToStatus, as: times, note },
    { what: 'stats of all of it, cpu', most: 6, value: scaled(past?.stats), as: seconds, note },
  ];
};

const reportGoals = ({ report }) => [
  {
    what: 'report --html of 3,000 events, cpu',
    most: 1,
    value: report ? report.cpu / 1000 : null,
    as: seconds,
    note: report ? `${times(report.toLog)} of log; ${Math.round(report.bytes / 1024)} KiB` : '',
  },
];

const publishGoals = ({ publish }) => [
  {
    what: 'publishing 100 rules / the same bytes over the same socket',
    most: 1.5,
    value: publish?.ratio,
    as: times,
    note: publish
      ? `${milliseconds(publish.ours)} for ${publish.requests} requests; floor ${milliseconds(publish.floor)}`
      : '',
  },
];

const documentGoals = ({ document }) => [
  {
    what: 'qubes.xml of 500 VMs from its events, cpu of the first time',
    most: 0.3,
    value: document ? document.firstMs / 1000 : null,
    as: seconds,
    note: document ? `${document.events} events, ${document.bytes} bytes; warm ${milliseconds(document.medianMs)}` : '',
  },
];

export const goalsOf = (measured) =>
  [
    ...commandGoals(measured.commands),
    ...readGoals(measured),
    ...openGoals(measured),
    ...commandLineGoals(measured),
    ...questionGoals(measured),
    ...pastGoals(measured),
    ...reportGoals(measured),
    ...publishGoals(measured),
    ...documentGoals(measured),
  ].map(goal);

const WORD = new Map([
  [true, 'ok'],
  [false, 'BAD'],
  [null, '-'],
]);

export const table = (goals) => {
  const width = Math.max(...goals.map(({ what }) => what.length));
  const lines = goals.map(({ what, wanted, measured, ok, note }) =>
    `${WORD.get(ok).padEnd(4)} ${what.padEnd(width)}  ${wanted.padEnd(11)} ${measured.padEnd(9)} ${note}`.trimEnd(),
  );
  return `${lines.join('\n')}\n`;
};
