import { type Command, decide } from '../domain/decide.ts';
import { eventsOf } from '../domain/decision.ts';
import { type DomainEvent, type Recorded, streamOf } from '../domain/event.ts';
import { emptyHost, evolve } from '../domain/host/host.ts';
import { qubesXml } from '../projections/qubes-xml/qubes-xml.ts';
import { median, tell } from './clock.ts';

// document.cjs: qubes.xml of a host with 500 VMs, from its events: folded and written, in CPU.
const VMS = 500;
const ROUNDS = 15;
const OWNER = { pid: 1, startTime: '1', bootId: 'bench' };

const init: Command = {
  name: 'InitHost',
  payload: {
    pools: [
      { name: 'files', driver: 'file-reflink', dir: '/pool', revisionsToKeep: 1, ephemeralVolatile: false },
      { name: 'linux-kernel', driver: 'linux-kernel', dir: '/kernels' },
    ],
  },
} as unknown as Command;

const create = (n: number): Command =>
  ({
    name: 'CreateVM',
    payload: { name: `vm-${n}`, class: 'StandaloneVM', template: null, label: 'red', pool: null, pools: {} },
  }) as unknown as Command;

const settings = (n: number): readonly Command[] =>
  [
    { name: 'SetProperty', payload: { vm: `vm-${n}`, name: 'vcpus', value: '3' } },
    { name: 'SetFeature', payload: { vm: `vm-${n}`, name: 'menu-items', value: 'xterm.desktop' } },
    { name: 'SetTag', payload: { vm: `vm-${n}`, name: 'mine', present: true } },
  ] as unknown as readonly Command[];

/** The events of a host's making. Disks are left out: qubes.xml says nothing of them. */
const historyOf = (commands: readonly Command[]): readonly Recorded[] => {
  const host = emptyHost();
  const log: Recorded[] = [];
  const record = (command: string, event: DomainEvent): void => {
    const position = host.position + 1;
    const recorded = { position, stream: streamOf(event, command), version: 0, command, time: 0, event };
    evolve(host, recorded);
    log.push(recorded);
  };
  for (const [n, command] of commands.entries()) {
    const uuid = `00000000-0000-4000-8000-${`${n}`.padStart(12, '0')}`;
    const decision = decide(host, command, { now: 0, position: host.position + 1, bootId: 'bench', uuid, open: [] });
    if (!decision.ok) throw new Error(`${command.name}: ${decision.error.message}`);
    const { plan } = decision.value;
    const bare = { ok: true, value: { ...decision.value, plan: { ...plan, main: [], cleanup: [] } } } as const;
    const disk = (fact: object) => !('current' in fact);
    for (const event of eventsOf(bare, { name: command.name, digest: 'bench', owner: OWNER }).filter(disk))
      record(`c${n}`, event);
  }
  return log;
};

const main = (): void => {
  const log = historyOf([init, ...Array.from({ length: VMS }, (_, n) => [create(n), ...settings(n)]).flat()]);
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const host = emptyHost();
    for (const recorded of log) evolve(host, recorded);
    const document = qubesXml(host);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
    bytes = document.ok ? document.value.length : 0;
  }
  tell({ vms: VMS, events: log.length, bytes, firstMs: times[0], medianMs: median(times) });
};

main();
