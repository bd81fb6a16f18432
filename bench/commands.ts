// commands DIRECTORY RIVALS: durable commands, against the file system's own append and against Emmett in RIVALS.
import { join } from 'node:path';
import { accept } from '../infrastructure/ledger/accept.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { commandQueue } from '../infrastructure/ledger/queue.ts';
import { median, type Spent, spent, tell } from './clock.ts';
import { openEmmett } from './emmett.ts';
import { openFloor } from './floor.ts';
import { freshLedger, mustBeAccepted, setting } from './history.ts';

const ROUNDS = 15;
const WARM_UP = 3;
/** Operations of each kind in a round; also how many commands are queued at once. */
const COUNT = 100;

const [directory = '', rivals = ''] = process.argv.slice(2);

type Kind = { readonly name: string; readonly run: () => void | Promise<void> };

const times =
  (count: number, run: () => void): (() => void) =>
  () => {
    for (let n = 0; n < count; n++) run();
  };

const main = async (): Promise<void> => {
  const floor = openFloor(join(directory, 'floor'));
  const ledger = freshLedger(join(directory, 'commands', 'ledger.db'));
  const queue = commandQueue(ledger);
  const emmett = await openEmmett(rivals, join(directory, 'emmett.db'));
  let n = 1;
  const queued = async (): Promise<void> => {
    const results = Array.from({ length: COUNT }, () => queue.submit(setting(n++)));
    for (const result of await Promise.all(results)) mustBeAccepted(result);
  };
  const kinds: Kind[] = [
    { name: 'floor', run: times(COUNT, floor.append) },
    { name: 'single', run: times(COUNT, () => mustBeAccepted(accept(ledger, setting(n++)))) },
    { name: 'queued', run: queued },
  ];
  if (emmett) {
    const appendAll = async (): Promise<void> => {
      for (let event = 0; event < COUNT; event++) await emmett.append(n + event);
    };
    kinds.push({ name: 'emmett', run: appendAll });
  }
  const rounds: Record<string, Spent>[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const measured: Record<string, Spent> = {};
    // Another one first each time: none always runs in the wake of the same neighbour.
    const order = kinds.map((_, index) => kinds[(index + round) % kinds.length]!);
    for (const { name, run } of order) measured[name] = await spent(run);
    if (round >= WARM_UP) rounds.push(measured);
  }
  emmett?.close();
  floor.close();
  closeLedger(ledger);
  const each = (name: string, of: keyof Spent): number =>
    median(rounds.map((round) => ((round[name]?.[of] ?? Number.NaN) * 1000) / COUNT));
  const ratio = (a: string, b: string, of: keyof Spent): number =>
    median(rounds.map((round) => (round[a]?.[of] ?? Number.NaN) / (round[b]?.[of] ?? Number.NaN)));
  tell({
    micros: Object.fromEntries(
      kinds.map(({ name }) => [name, { wall: each(name, 'wallMs'), cpu: each(name, 'cpuMs') }]),
    ),
    singleToFloor: ratio('single', 'floor', 'wallMs'),
    queuedToSingle: ratio('queued', 'single', 'wallMs'),
    emmettToSingle: emmett
      ? { wall: ratio('emmett', 'single', 'wallMs'), cpu: ratio('emmett', 'single', 'cpuMs') }
      : null,
  });
};
void main();
