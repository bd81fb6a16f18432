import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Broken, bringUp, does, HOST_SCRIPT, keepsPromises, WORKER } from './check.ts';
import { chooseOrder } from './choose.ts';
import { makeImage, openImage } from './image.ts';
import { copyImage, Gone, type Machine, startMachine } from './machine.ts';
import { type Behind, nbdServer } from './nbd.ts';
import { carryOut, command, prepareOrder } from './orders.ts';
import { ROOT } from './places.ts';
import { type Cut, cacheOver, randomOf } from './sectors.ts';
import { after, allowedAfter, FIRST_WORLD, type Order, type World } from './world.ts';

/** `power` null: QEMU is killed and the host's page cache survives, as when a kernel panics. */
export type Plan = { readonly cycles: number; readonly power: Cut | null; readonly seed: number };

type Say = (line: string) => void;

/** A machine with its disk; `crash` ends both at this very moment. */
type Running = { readonly machine: Machine; readonly crash: (seed: number) => Promise<string> };

const onFile = async (image: string): Promise<Running> => {
  const machine = await startMachine(image);
  const crash = async (): Promise<string> => {
    await machine.kill();
    return 'killed';
  };
  return { machine, crash };
};

const onPowerDisk = async (image: string, cut: Cut): Promise<Running> => {
  const store = openImage(image);
  const behind: Behind = { cache: cacheOver(store), bytes: store.bytes, watch: () => undefined };
  const socket = `${image}.sock`;
  rmSync(socket, { force: true });
  const server = await nbdServer(socket, behind);
  const machine = await startMachine(`nbd:unix:${socket}`);
  const crash = async (seed: number): Promise<string> => {
    const { cache } = behind;
    behind.cache = null;
    const lost = cache?.cut(cut, seed);
    await machine.kill();
    await server.close();
    store.close();
    return `power cut (${cut}): ${lost?.kept} of ${lost?.pending} pending writes kept`;
  };
  return { machine, crash };
};

const start = (image: string, power: Cut | null): Promise<Running> =>
  power === null ? onFile(image) : onPowerDisk(image, power);

/** An initialised host with a template and two AppVMs, flushed to the image after one last script. */
export const makeHost = async (image: string, last = 'true'): Promise<void> => {
  makeImage(image);
  const { machine } = await onFile(image);
  try {
    await does(machine, `${HOST_SCRIPT} make`);
    await machine.startWorker(WORKER);
    await command(machine, null, ['init', '--pool', 'qubes_dom0/vm-pool']);
    await command(machine, null, ['vm', 'create', 'tmpl', '--class', 'TemplateVM']);
    for (const name of ['work', 'mail']) {
      await command(machine, null, ['vm', 'create', name, '--class', 'AppVM', '--template', 'tmpl']);
    }
    await does(machine, `${last}; sync`);
  } finally {
    await machine.kill();
  }
};

/** All that a failed cycle can be told and repeated with. */
type Story = { world: World; inFlight: Order | null; acknowledged: string[]; orders: string[]; recovered: string };

/** Every so often as its user would, else in the worker: starting node is most of what the command takes there. */
const recover = async (machine: Machine, story: Story, asUser: boolean): Promise<void> => {
  if (asUser) {
    const ran = await machine.run(`node ${ROOT}/bin/domtrail.cjs recover --yes`);
    story.recovered = `${ran.out}${ran.err}`.trim();
    if (ran.code !== 0) throw new Broken(`recover ended with ${ran.code}\n${story.recovered}`);
  }
  await machine.startWorker(WORKER);
  if (asUser) return;
  // Node may have had something to say of its own.
  await does(machine, ': >/run/work.log');
  await command(machine, null, ['recover', '--yes']);
  story.recovered = (await does(machine, 'cat /run/work.log')).trim();
};

const load = async (machine: Machine, story: Story, seed: number): Promise<void> => {
  const random = randomOf(seed);
  for (let n = 1; ; n++) {
    const id = `c${seed}n${n}`;
    const order = chooseOrder(story.world, random, `m${seed}n${n}`);
    await prepareOrder(machine, order);
    story.orders.push(`${id} ${JSON.stringify(order)}`);
    story.inFlight = order;
    await carryOut(machine, order, id);
    story.inFlight = null;
    story.world = after(story.world, order);
    if (order.do !== 'write') story.acknowledged.push(id);
  }
};

const duringWhat = ({ orders, inFlight }: Story): string =>
  inFlight ? `in order ${orders.length}, ${inFlight.do}` : `after ${orders.length} orders`;

const LONGEST_LOAD_MS = 8000;
const AS_USER = 5;
/** The clock of the crash begins after so many orders at most: on a slow host eight seconds are less than one. */
const MOST_BEFORE = 2;

/** Waits until so many orders of this load are behind, or it has ended. */
const settled = async ({ orders }: Story, many: number, loading: Promise<void>): Promise<void> => {
  let over = false;
  const end = (): void => {
    over = true;
  };
  loading.then(end, end);
  while (!over && orders.length <= many) await pause(50);
};

/** Up, recovered, checked, loaded, and dead again at an instant that the seed chose. */
const cycle = async (image: string, power: Cut | null, seed: number, story: Story): Promise<string> => {
  const running = await start(image, power);
  const { machine } = running;
  const random = randomOf(seed ^ 0x5eed);
  try {
    const activation = await bringUp(machine);
    await recover(machine, story, seed % AS_USER === 0);
    const allowed = allowedAfter(story.world, story.inFlight);
    story.world = await keepsPromises(machine, allowed, story.acknowledged);
    story.inFlight = null;
    const [said = ''] = story.recovered.split('\n');
    const loading = load(machine, story, seed);
    const time = settled(story, seed % (MOST_BEFORE + 1), loading).then(() => pause(random() * LONGEST_LOAD_MS));
    loading.catch(() => undefined);
    // A command that fails must be told, not be hidden by the crash that comes anyway.
    await Promise.race([loading, time]);
    const how = await running.crash(seed);
    await loading.catch((error: unknown) => {
      if (!(error instanceof Gone)) throw error;
    });
    return `${activation}; ${said}; then ${how} ${duringWhat(story)}`;
  } catch (error) {
    await running.crash(seed).catch(() => undefined);
    throw error;
  }
};

/** Cycles under way: `next` is the one that is not done. */
type Begun = { readonly dir: string; readonly plan: Plan; readonly next: number; readonly story: Story };
/** `before`: what was known when that cycle began. */
type Kept = Omit<Begun, 'dir' | 'story'> & { readonly before: Pick<Story, 'world' | 'inFlight' | 'acknowledged'> };

const hostIn = (dir: string): string => join(dir, 'host.img');
const crashedIn = (dir: string, cycle: number): string => join(dir, `crashed-${cycle}.img`);
const storyIn = (dir: string): string => join(dir, 'story.json');

/** From here the cycles can go on, whatever ends them: the story names the copy of the disk that belongs to it. */
const keep = ({ dir, plan, next, story }: Begun): Kept => {
  const { world, inFlight, acknowledged } = story;
  const kept: Kept = { plan, next, before: { world, inFlight, acknowledged: [...acknowledged] } };
  const crashed = crashedIn(dir, next);
  copyImage(hostIn(dir), `${crashed}.new`);
  renameSync(`${crashed}.new`, crashed);
  writeFileSync(`${storyIn(dir)}.new`, JSON.stringify(kept));
  renameSync(`${storyIn(dir)}.new`, storyIn(dir));
  rmSync(crashedIn(dir, next - 1), { force: true });
  return kept;
};

const fail = (dir: string, kept: Kept, story: Story, error: unknown): never => {
  const { plan, next } = kept;
  const file = storyIn(dir);
  const crashed = crashedIn(dir, next);
  writeFileSync(file, JSON.stringify({ ...kept, story, error: String(error) }, null, 2));
  const text = [
    String(error instanceof Error ? error.message : error),
    `seed ${plan.seed}, power ${plan.power ?? 'kept'}; in flight: ${JSON.stringify(story.inFlight)}`,
    `recover said: ${story.recovered}`,
    `the disk as it was after the crash: ${crashed}; the whole story: ${file}`,
    `to go on: npm run lab:crash -- --resume ${dir}`,
    `to repeat: LAB_DISK=${crashed} npm run lab -- bash -c 'test/lab/guest/crash-host.sh up; DOMTRAIL_HOME=/run/host/domtrail bin/domtrail recover'`,
  ];
  throw new Error(text.join('\n'));
};

const begin = async (dir: string, plan: Plan): Promise<Begun> => {
  await makeHost(hostIn(dir));
  const story: Story = { world: FIRST_WORLD, inFlight: null, acknowledged: [], orders: [], recovered: '' };
  return { dir, plan, next: 0, story };
};

const cycles = async ({ dir, plan, next, story }: Begun, say: Say): Promise<void> => {
  const begun = performance.now();
  // One more boot than crashes: the last crash wants to be looked at, too.
  for (let n = next; n <= plan.cycles; n++) {
    const seed = plan.seed * 100_000 + n;
    const kept = keep({ dir, plan, next: n, story });
    const since = performance.now();
    const told = await cycle(hostIn(dir), plan.power, seed, story).catch((error: unknown) =>
      fail(dir, kept, story, error),
    );
    story.orders = [];
    say(`${n}: ${((performance.now() - since) / 1000).toFixed(1)} s, ${told}`);
  }
  const minutes = (performance.now() - begun) / 60_000;
  const rate = ((plan.cycles - next) / minutes).toFixed(1);
  say(`${plan.cycles} crashes, ${story.acknowledged.length} commands acknowledged, none lost; ${rate} cycles a minute`);
  rmSync(dir, { recursive: true, force: true });
};

/** The cycles of a plan over one host that grows older. Rejects at the first broken promise. */
export const crashCycles = async (plan: Plan, say: Say): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'domtrail-crash-'));
  say(`if this is ended: npm run lab:crash -- --resume ${dir}`);
  return cycles(await begin(dir, plan), say);
};

/** Goes on with cycles that ended, at the one that did not come to its end, with the disk as it was before that. */
export const resumeCycles = async (dir: string, say: Say): Promise<void> => {
  const { plan, next, before } = JSON.parse(readFileSync(storyIn(dir), 'utf8')) as Kept;
  copyImage(crashedIn(dir, next), hostIn(dir));
  return cycles({ dir, plan, next, story: { ...before, orders: [], recovered: '' } }, say);
};
