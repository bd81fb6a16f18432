import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, median } from './measure.mjs';

const ROUNDS = 15;
/** Debian's own, not a version manager's wrapper, which takes longer than the program. */
const PYTHON = '/usr/bin/python3';

/** User plus system time of one run in milliseconds, and the wall's: bash asks the kernel for them when the child has ended. */
const timed = (argv) => {
  const script = 'TIMEFORMAT="%3U %3S %3R"; time "$@" >/dev/null 2>/dev/null';
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...argv], {
    env: { ...environment(), LC_ALL: 'C' },
    encoding: 'utf8',
  });
  const [user, system, wall] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  if (status !== 0 || Number.isNaN(wall)) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return { cpu: (user + system) * 1000, wall: wall * 1000 };
};

/** As people have them: networks, ports, comments. */
const tenThousandRules = () =>
  Array.from(
    { length: 10_000 },
    (_, n) => `action=accept dst4=10.${n >> 8}.${n & 255}.0/24 proto=tcp dstports=${n} comment=rule ${n}\n`,
  ).join('');

/** CPU time of `status` on the home's ledger, beside an empty Node start and the same screen in Python. Null: not there. */
export const measureCommandLine = (root, scratch, home) => {
  if (spawnSync('bash', ['-c', 'true']).status !== 0) return null;
  const empty = join(scratch, 'empty.cjs');
  writeFileSync(empty, '');
  const rules = join(scratch, 'rules.txt');
  writeFileSync(rules, tenThousandRules());
  const programs = {
    empty: [process.execPath, empty],
    status: [process.execPath, join(root, 'bin', 'domtrail.cjs'), 'status', '--home', home],
    firewall: [process.execPath, join(root, 'bin', 'domtrail.cjs'), 'firewall', 'check', '--json', '-f', rules],
    nothing: [process.execPath, join(scratch, 'open.cjs'), 'nothing'],
    open: [process.execPath, join(scratch, 'open.cjs'), 'read', join(home, 'ledger.db')],
  };
  if (existsSync(PYTHON)) programs.python = [PYTHON, join(root, 'bench', 'status.py'), '--home', home];
  for (const argv of Object.values(programs)) timed(argv);
  const rounds = Array.from({ length: ROUNDS }, () =>
    Object.fromEntries(Object.entries(programs).map(([name, argv]) => [name, timed(argv)])),
  );
  const cpu = (name) => median(rounds.map((round) => round[name]?.cpu));
  const ratio = (a, b) => median(rounds.map((round) => round[a].cpu / round[b].cpu));
  return {
    cpu: Object.fromEntries(Object.keys(programs).map((name) => [name, cpu(name)])),
    statusToEmpty: ratio('status', 'empty'),
    firewallToEmpty: ratio('firewall', 'empty'),
    statusToPython: programs.python ? ratio('status', 'python') : null,
    openAboveStart: median(rounds.map((round) => round.open.wall - round.nothing.wall)),
  };
};
