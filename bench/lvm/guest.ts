// guest CHECKOUT LVS ROUNDS: inside the lab machine only. Starts and stops an AppVM by hand, as stock Qubes does it, and
// with domtrail: within one process, and as whole commands.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openService } from '../../bin/compose.ts';
import type { Command } from '../../domain/decide.ts';
import type { Arguments } from '../../infrastructure/cli/arguments.ts';
import { closeService, type Service } from '../../infrastructure/service/service.ts';
import { submit } from '../../infrastructure/service/submit.ts';
import { median, tell } from '../clock.ts';
import { byHand, create, runs } from './by-hand.ts';
import { type Cpu, cpuOf, enterGroup } from './cpu.ts';

const [checkout = '', lvs = '0', rounds = '3'] = process.argv.slice(2);
const home = mkdtempSync('/run/bench-');
const DOMTRAIL = join(checkout, 'bin', 'domtrail.cjs');

const domtrail = (...words: readonly string[]) => runs(process.execPath, DOMTRAIL, ...words, '--home', home);

const ARGUMENTS: Arguments = {
  values: [],
  text: (name) => (name === 'home' ? home : undefined),
  flag: () => false,
  list: () => [],
};
const ACTOR = { user: 'root', uid: 0, loginUid: null, tty: null, tool: 'bench', argv: [], source: null };

const submitted = async (service: Service, command: Command): Promise<void> => {
  const done = await submit(service, { command, id: null, reason: null, actor: ACTOR });
  const failure = done.ok ? done.value.failure : done.error;
  if (failure) throw new Error(`${command.name}: ${failure.code} ${failure.message} ${failure.cause ?? ''}`);
};

const starting = { name: 'StartVM', payload: { name: 'work' } } as Command;
const stopping = { name: 'StopVM', payload: { name: 'work', discard: false } } as Command;

const prepare = (): void => {
  runs(join(checkout, 'test', 'lab', 'guest', 'make-pool.sh'), '1500M');
  for (let n = 0; n < Number(lvs); n++) create(`vm-other${n}-private`)();
  byHand.prepare();
  domtrail('init', '--pool', 'vm-pool=lvm_thin:qubes_dom0/vm-pool');
  domtrail('vm', 'create', 'fedora', '--class', 'TemplateVM');
  domtrail('vm', 'create', 'work', '--class', 'AppVM', '--template', 'fedora');
};

const measured = async (service: Service): Promise<Readonly<Record<string, readonly Cpu[]>>> => {
  const all: Record<string, Cpu[]> = {};
  const take = async (name: string, work: () => unknown): Promise<void> => {
    const cpu = await cpuOf(work);
    all[name] = [...(all[name] ?? []), cpu];
    process.stderr.write(`${name}: ${cpu.all.toFixed(1)} ms, of which node ${cpu.node.toFixed(1)}\n`);
  };
  // The first stop makes the first revision; only from the second on is there one to retire.
  await submitted(service, starting);
  await submitted(service, stopping);
  let stops = 0;
  for (let round = 0; round < Number(rounds); round++) {
    await take('start by hand', byHand.start);
    await take('stop by hand', byHand.stop(++stops));
    await take('start in one process', () => submitted(service, starting));
    await take('stop in one process', () => submitted(service, stopping));
    await take('start as stock', byHand.stockStart);
    await take('stop as stock', byHand.stockStop(++stops));
    byHand.start();
    await take('careful stop by hand', byHand.carefulStop(++stops));
    await take('start as a command', () => domtrail('vm', 'start', 'work'));
    await take('stop as a command', () => domtrail('vm', 'stop', 'work'));
    await take('empty node', () => runs(process.execPath, '-e', '0'));
  }
  return all;
};

const main = async (): Promise<void> => {
  runs('mkdir', '-p', '/run/cgroup');
  runs('mount', '-t', 'cgroup2', 'none', '/run/cgroup');
  enterGroup();
  prepare();
  const service = openService(ARGUMENTS, 'write');
  if (!service.ok) throw new Error(service.error.message);
  const all = await measured(service.value);
  closeService(service.value);
  const medianOf = (cpus: readonly Cpu[], of: keyof Cpu): number => median(cpus.map((cpu) => cpu[of]));
  tell(
    Object.fromEntries(
      Object.entries(all).map(([name, cpus]) => [name, { all: medianOf(cpus, 'all'), node: medianOf(cpus, 'node') }]),
    ),
  );
};

void main();
