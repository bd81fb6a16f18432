import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broken, bringUp, does, HOST_SCRIPT, keepsPromises, WORKER } from './check.ts';
import { makeHost } from './crash.ts';
import { openImage } from './image.ts';
import { type Machine, startMachine } from './machine.ts';
import { type Behind, nbdServer } from './nbd.ts';
import { carryOut, command, must, prepareOrder } from './orders.ts';
import { type Cut, cacheOver, layerOver, type Request, type Store } from './sectors.ts';
import { after, allowedAfter, FIRST_WORLD, type Order, type World } from './world.ts';

/** Every `sample`-th point, or all of them with 1; `seed` chooses with which the sample begins. */
export type PointsPlan = {
  readonly names: readonly string[];
  readonly cut: Cut;
  readonly seed: number;
  readonly sample: number;
};
type Spread = Pick<PointsPlan, 'cut' | 'seed' | 'sample'>;

type Say = (line: string) => void;

/** What leads up to a command whose points are wanted, and the command. */
type Scenario = { readonly before: readonly Order[]; readonly order: Order };

const start: Order = { do: 'start', vm: 'work' };
const stop: Order = { do: 'stop', vm: 'work' };
const write = (mark: string): Order => ({ do: 'write', vm: 'work', volume: 'private', mark });
const session = (mark: string): readonly Order[] => [start, write(mark), stop];
const PRIVATE = { vm: 'work', volume: 'private' } as const;

const STOP: Scenario = { before: [...session('one'), start, write('two')], order: stop };

/**
 * By name: whole commands, and for each kind of LVM call of the driver the command in which it comes first. `snapshot`
 * (with rename) is a checkpoint of a running VM, `create` (with fill) an import, `commit` the stop of a VM.
 */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  start: { before: session('one'), order: start },
  stop: STOP,
  commit: STOP,
  snapshot: { before: [...session('one'), start, write('two')], order: { do: 'commit', ...PRIVATE } },
  revert: { before: session('one'), order: { do: 'revert', ...PRIVATE } },
  import: { before: session('one'), order: { do: 'import', ...PRIVATE, mark: 'two' } },
  create: { before: [], order: { do: 'import', ...PRIVATE, mark: 'two' } },
  resize: { before: [], order: { do: 'resize', ...PRIVATE, bytes: 3 * 2 ** 30 } },
  remove: { before: [{ do: 'clone', vm: 'work', to: 'copy' }], order: { do: 'remove', vm: 'copy' } },
  clone: { before: session('one'), order: { do: 'clone', vm: 'work', to: 'copy' } },
};

/** Each scenario by one of its names. */
export const EVERY_SCENARIO: readonly string[] = Object.keys(SCENARIOS).filter((name) => name !== 'commit');

/** A machine whose disk can be changed for another while nothing on it is in use. */
type Bench = { readonly machine: Machine; readonly behind: Behind; readonly end: () => Promise<void> };

const bench = async (image: string, store: Store): Promise<Bench> => {
  const behind: Behind = { cache: cacheOver(store), bytes: store.bytes, watch: () => undefined };
  const server = await nbdServer(`${image}.sock`, behind);
  const machine = await startMachine(`nbd:unix:${image}.sock`);
  const end = async (): Promise<void> => {
    await machine.kill();
    await server.close();
  };
  return { machine, behind, end };
};

type Recorded = { readonly base: Store; readonly requests: readonly Request[]; readonly world: World };

/** Runs the scenario once and keeps what the command wrote and flushed, over the disk as it was right before it. */
const record = async ({ machine, behind }: Bench, below: Store, { before, order }: Scenario): Promise<Recorded> => {
  const base = layerOver(below);
  behind.cache = cacheOver(base);
  await bringUp(machine);
  await machine.startWorker(WORKER);
  let world = FIRST_WORLD;
  for (const [n, one] of before.entries()) {
    await prepareOrder(machine, one);
    await carryOut(machine, one, `before${n}`);
    world = after(world, one);
  }
  await prepareOrder(machine, order);
  await does(machine, 'sync');
  const requests: Request[] = [];
  const frozen = layerOver(base);
  behind.cache.take({ is: 'flush' });
  behind.cache = cacheOver(frozen);
  behind.watch = (request) => requests.push(request);
  await carryOut(machine, order, 'ordered');
  behind.watch = () => undefined;
  return { base, requests, world };
};

/** The disk after a crash right before request `n`. */
const diskAt = ({ base, requests }: Recorded, n: number, { cut, seed }: Spread): Store => {
  const disk = layerOver(base);
  const cache = cacheOver(disk);
  for (const request of requests.slice(0, n)) cache.take(request);
  cache.cut(cut, seed + n);
  return disk;
};

type Point = { readonly n: number; readonly store: Store; readonly allowed: readonly World[] };

/** As a reboot: everything is taken down, the other disk comes up, and the product sees another boot. */
const tryPoint = async ({ machine, behind }: Bench, { n, store, allowed }: Point): Promise<string> => {
  await does(machine, `${HOST_SCRIPT} down && : >/run/work.log`);
  behind.cache = cacheOver(store);
  const activation = await bringUp(machine);
  await must(machine, { do: 'boot', bootId: `point-${n}` });
  await command(machine, null, ['recover', '--yes']);
  const said = await does(machine, 'cat /run/work.log');
  const world = await keepsPromises(machine, allowed, []);
  const which = allowed.length > 1 && allowed[0] === world ? 'before' : 'after';
  return `${activation.slice(0, 90)}; ${said.trim().split('\n').slice(0, 3).join(' | ').slice(0, 200)}; ${which}`;
};

/** A flush changes nothing on a disk that keeps everything, so such points are the same as the ones before them. */
const pointsOf = (requests: readonly Request[], { cut, seed, sample }: Spread): readonly number[] => {
  const all = Array.from({ length: requests.length + 1 }, (_, n) => n);
  const different = cut === 'all' ? all.filter((n) => n === 0 || requests[n - 1]?.is !== 'flush') : all;
  return different.filter((_, index) => (index + seed) % sample === 0 || index === different.length - 1);
};

type Named = Scenario & { readonly name: string };

const crashed = async (image: string, scenario: Named, spread: Spread, say: Say): Promise<void> => {
  const { name, order } = scenario;
  const { cut, seed } = spread;
  const below = openImage(image);
  const stage = await bench(image, below);
  try {
    const recorded = await record(stage, below, scenario);
    const { requests } = recorded;
    const writes = requests.filter(({ is }) => is === 'write').length;
    const points = pointsOf(requests, spread);
    say(`${name}: ${requests.length} requests, ${writes} writes; ${points.length} points, cut ${cut}`);
    const either = allowedAfter(recorded.world, order);
    const done = allowedAfter(after(recorded.world, order), null);
    for (const n of points) {
      // Past its last request the command was acknowledged, whatever the disk had not flushed by then.
      const allowed = n === requests.length ? done : either;
      const store = diskAt(recorded, n, spread);
      const told = await tryPoint(stage, { n, store, allowed }).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Broken(`${name}, before request ${n} of ${requests.length}, cut ${cut}, seed ${seed}\n${reason}`);
      });
      say(`  ${n}: ${told}`);
    }
  } finally {
    await stage.end();
    below.close();
  }
};

const scenarioOf = (name: string): Named => {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`there is no ${name}; there are ${Object.keys(SCENARIOS).join(', ')}`);
  return { name, ...scenario };
};

/** Every place at which the disk may have stopped a command. Rejects at the first broken promise. */
export const crashPoints = async ({ names, ...spread }: PointsPlan, say: Say): Promise<void> => {
  const scenarios = names.map(scenarioOf);
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-points-'));
  // What the scenarios write lies over the image, which stays as it was made.
  const image = join(dir, 'host.img');
  await makeHost(image);
  for (const scenario of scenarios) {
    const begun = performance.now();
    await crashed(image, scenario, spread, say);
    say(`${scenario.name}: every promise kept, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  rmSync(dir, { recursive: true, force: true });
};
