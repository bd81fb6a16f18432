import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { environment, median } from './measure.mjs';

const ROUNDS = 5;

/** User plus system time in milliseconds of one run and all it started. `ends`: the exit code it must have. */
const cpuOf = (argv, ends = 0) => {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>/dev/null; exit $?';
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...argv], {
    env: { ...environment(), LC_ALL: 'C' },
    encoding: 'utf8',
  });
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  if (status !== ends || Number.isNaN(user)) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return (user + system) * 1000;
};

/** CPU time of the questions people put to a long log. Whoever looks one thing up is set against `status`, in turns. */
export const measureQuestions = (root, home, events) => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return null;
  const program = join(root, 'bin', 'domtrail.cjs');
  const domtrail = (...words) => [process.execPath, program, ...words, '--home', home];
  const middle = Math.floor(events / 2);
  const looked = {
    log: domtrail('log', 'vm-007', '-n', '20'),
    blame: domtrail('blame', 'vm-006', 'kernelopts'),
    why: domtrail('why', 'vm-007'),
    show: domtrail('show', `ev:${middle}`),
  };
  const status = domtrail('status');
  cpuOf(status);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    status: cpuOf(status),
    ...Object.fromEntries(Object.entries(looked).map(([name, argv]) => [name, cpuOf(argv)])),
  }));
  const toStatus = Object.fromEntries(
    Object.keys(looked).map((name) => [name, median(rounds.map((round) => round[name] / round.status))]),
  );
  const late = Math.floor(events * 0.9);
  const check = `"$0" "$1" vm list >/dev/null && test "$DOMTRAIL_AT" -lt ${late}`;
  const bisecting = [process.execPath, program, 'bisect', 'run', '--home', home, '--', 'sh', '-c', check];
  return {
    toStatus,
    at: cpuOf(domtrail('vm', 'list', '--at', `ev:${late}`)),
    // The ledger's first command was never decided by the product, so it would differ: exit 6.
    replay: cpuOf(domtrail('replay'), 6),
    // Nothing is broken there, so all of it is looked through: exit 3.
    bisectInvariants: cpuOf([process.execPath, program, 'bisect', 'run', '--home', home], 3),
    bisectProgram: cpuOf([...bisecting, process.execPath, program]),
    events,
  };
};

/**
 * CPU time of questions about the past of volumes, on a log in which 500 VMs live: medians, and the log of one volume against
 * `status`, in turns.
 */
export const measurePast = (root, home, events) => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return null;
  const domtrail = (...words) => [process.execPath, join(root, 'bin', 'domtrail.cjs'), ...words, '--home', home];
  const late = `ev:${Math.floor(events * 0.9)}`;
  const asked = {
    lineage: domtrail('lineage', 'life-007:private', '--at', late),
    why: domtrail('why', 'life-007:private', '--at', late),
    blame: domtrail('blame', 'life-007:private', '--at', late),
    stats: domtrail('stats'),
    log: domtrail('log', 'life-007:private', '-n', '20'),
    status: domtrail('status'),
  };
  cpuOf(asked.status);
  const rounds = Array.from({ length: ROUNDS }, () =>
    Object.fromEntries(Object.entries(asked).map(([name, argv]) => [name, cpuOf(argv)])),
  );
  const medians = Object.fromEntries(
    Object.keys(asked).map((name) => [name, median(rounds.map((round) => round[name]))]),
  );
  return { ...medians, logToStatus: median(rounds.map(({ log, status }) => log / status)), events };
};

/** CPU time of the page about a log of 3,000 events, against `log` of the same events. */
export const measureReport = (root, home) => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return null;
  const domtrail = (...words) => [process.execPath, join(root, 'bin', 'domtrail.cjs'), ...words, '--home', home];
  const file = join(home, 'report.html');
  const rounds = Array.from({ length: ROUNDS }, () => ({
    log: cpuOf(domtrail('log', '-n', '3000')),
    report: cpuOf(domtrail('report', '--html', '-o', file)),
  }));
  return {
    cpu: median(rounds.map(({ report }) => report)),
    toLog: median(rounds.map(({ log, report }) => report / log)),
    bytes: statSync(file).size,
  };
};
