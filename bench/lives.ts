// lives FILE EVENTS: a ledger of that many events in which 500 VMs start and stop, with every step of it, and pools that fill.

import type { Json } from '../domain/canonical-json.ts';
import { type Command, decide } from '../domain/decide.ts';
import { wordsOfDeed } from '../domain/deed-words.ts';
import type { Disk, DiskId } from '../domain/disk.ts';
import type { DomainEvent, Fact } from '../domain/event.ts';
import type { Host } from '../domain/host/host.ts';
import type { PoolName, VmName, VolumeKey, VolumeName } from '../domain/names.ts';
import { bind, type Plan, type Step } from '../domain/steps.ts';
import { acceptAll } from '../infrastructure/ledger/accept.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { record } from '../infrastructure/ledger/record.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { spent, tell } from './clock.ts';
import { decidedInto, envelopeOf, hurry, must, mustBeAccepted, openWriting } from './history.ts';

const VMS = 500;
const BYTES = 2 ** 31;
const POOL = 'bench' as PoolName;
const [file = '', wanted = ''] = process.argv.slice(2);

const nameOf = (n: number): VmName => `life-${String(n % VMS).padStart(3, '0')}` as VmName;

const VOLUMES = [
  { name: 'root', saveOnStop: true },
  { name: 'private', saveOnStop: true },
  { name: 'volatile', saveOnStop: false },
] as const;

const born = (n: number): readonly Fact[] => {
  const vm = nameOf(n);
  const volumes = VOLUMES.map(({ name, saveOnStop }) => ({
    key: `${vm}:${name}` as VolumeKey,
    name: name as VolumeName,
    pool: POOL,
    vid: `appvms/${vm}/${name}`,
    bytes: BYTES,
    rw: true,
    snapOnStart: false,
    saveOnStop,
    revisionsToKeep: 2,
    source: null,
    ephemeral: null,
  }));
  const properties = { qid: `${n + 1}`, label: 'red', uuid: `00000000-0000-4000-9000-${String(n).padStart(12, '0')}` };
  return [
    { type: 'VmCreated', vm, class: 'StandaloneVM', properties, features: {}, tags: [], volumes, clonedFrom: null },
    ...volumes.flatMap(({ key, saveOnStop }): readonly Fact[] =>
      saveOnStop
        ? [{ type: 'VolumeProvisioned', volume: key, current: { id: `first-${key}` as DiskId, bytes: BYTES } }]
        : [],
    ),
  ];
};

const beginning = (): readonly Fact[] => [
  {
    type: 'HostInitialised',
    labels: [{ name: 'red', index: 1, color: '0xcc0000' }],
    properties: { default_kernel: '' },
  },
  {
    type: 'PoolAdded',
    pool: POOL,
    definition: { name: POOL, driver: 'file-reflink', dir: '/nowhere', revisionsToKeep: 2, ephemeralVolatile: false },
  },
  ...Array.from({ length: VMS }, (_, n) => born(n)).flat(),
];

/** The disk that a step makes or moves. */
const diskOf = ({ n, deed }: Step, command: number, made: ReadonlyMap<number, Disk>): Disk | null => {
  if (deed.do === 'create' || deed.do === 'snapshot') return { id: `disk-${command}-${n}` as DiskId, bytes: BYTES };
  if (!('disk' in deed) || deed.do === 'erase') return null;
  return 'id' in deed.disk ? { id: deed.disk.id, bytes: BYTES } : (made.get(deed.disk.madeBy) ?? null);
};

/** What the runner records of a plan in which every step succeeds. */
const carriedOut = (plan: Plan, command: number): readonly DomainEvent[] => {
  const made = new Map<number, Disk>();
  const events: DomainEvent[] = [];
  for (const step of [...plan.main, ...plan.cleanup]) {
    const disk = diskOf(step, command, made);
    if (disk) made.set(step.n, disk);
    const argv = [['lvm', step.deed.do, '--config', 'x'.repeat(80), step.object]];
    const evidence = { argv, exitCode: 0, stderr: '', durationMs: 20 + ((command * 7919 + step.n * 104_729) % 400) };
    const { n, object, deed, then = [] } = step;
    events.push({
      type: 'StepDone',
      n,
      object,
      words: wordsOfDeed(deed),
      found: false,
      disk,
      before: null,
      after: null,
      evidence,
    });
    events.push(...then.map((fact) => bind<Fact>(fact, made)));
    if (n === plan.main.length) events.push(...plan.facts.map((fact) => bind<Fact>(fact, made)));
  }
  return [...events, { type: 'CommandCompleted', leftover: [] }];
};

const MINUTE = 60_000;
const SIZE = 2 ** 40;

/** Each VM starts, and stops some commands later. */
const commandOf = (n: number): Command => {
  const turn = Math.floor(n / VMS);
  const name = nameOf(n);
  return turn % 2 === 0
    ? { name: 'StartVM', payload: { name } }
    : { name: 'StopVM', payload: { name, discard: false } };
};

/** The pool is two thirds full at the end. */
const usageAt = (position: number): Json => ({
  pools: [
    {
      pool: POOL,
      bytes: SIZE,
      usedBytes: Math.floor(SIZE * (0.1 + (0.56 * position) / Number(wanted))),
      metadataBytes: 2 ** 30,
      metadataUsedBytes: Math.floor(2 ** 30 * (0.05 + (0.1 * position) / Number(wanted))),
    },
  ],
  data: {},
});

const live = (): number => {
  const ledger = openWriting(file, 'create', []);
  must(acceptAll(ledger, [decidedInto(0, beginning())]));
  hurry(ledger);
  for (let n = 1; ledger.cache.head.position < Number(wanted); n++) {
    const command = commandOf(n - 1);
    const usage = usageAt(ledger.cache.head.position);
    const seen = {
      now: 1_700_000_000_000 + n * MINUTE,
      bootId: 'bench',
      uuid: '00000000-0000-4000-8000-000000000000',
      open: [],
    };
    const envelope = envelopeOf(n * 60, command.name, command.payload, { ...seen, usage } as Json);
    const again = (host: Host, position: number) => decide(host, command, { ...seen, position } as never);
    const [accepted] = must(acceptAll(ledger, [{ envelope, decide: again }]));
    if (!accepted) throw new Error('one command in, one result out');
    mustBeAccepted(accepted);
    const operation = currentHost(ledger).operations.get(envelope.id);
    if (!operation) throw new Error(`${command.name} has no steps`);
    must(
      record(
        ledger,
        { command: envelope.id, time: envelope.receivedAt + 500 + ((n * 7919) % 3000) },
        carriedOut(operation.plan, n),
      ),
    );
  }
  const { position } = ledger.cache.head;
  closeLedger(ledger);
  // The projections in one go, which is faster than command by command.
  closeLedger(openWriting(file, 'write'));
  return position;
};

const main = async (): Promise<void> => {
  let events = 0;
  const took = await spent(() => {
    events = live();
  });
  tell({ ...took, events });
};
void main();
