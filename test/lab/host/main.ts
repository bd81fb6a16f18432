import { parseArgs } from 'node:util';
import { crashCycles, resumeCycles } from './crash.ts';
import { crashPoints, EVERY_SCENARIO } from './points.ts';
import type { Cut } from './sectors.ts';
import { mendFixture, mendTornHost } from './wounds.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const POWERS: readonly string[] = ['none', 'prefix', 'random', 'all'];

/** What `--power` means: a kind of power cut, or null for a kill that the page cache survives. */
const powerOf = (text: string | undefined): Cut | null => {
  if (text === undefined) return null;
  if (POWERS.includes(text)) return text as Cut;
  throw new Error(`--power takes ${POWERS.join(', ')}`);
};

const crash = async (argv: readonly string[]): Promise<void> => {
  const text = { type: 'string' } as const;
  const options = { cycles: text, power: text, seed: text, resume: text };
  const { values } = parseArgs({ args: [...argv], options });
  if (values.resume !== undefined) return resumeCycles(values.resume, say);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 10_000));
  say(`seed ${seed}`);
  await crashCycles({ cycles: Number(values.cycles ?? 30), power: powerOf(values.power), seed }, say);
};

const points = async (argv: readonly string[]): Promise<void> => {
  const options = { cut: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  const cut = powerOf(values.cut ?? 'all') ?? 'all';
  const names = positionals.length > 0 ? positionals : EVERY_SCENARIO;
  await crashPoints({ names, cut, sample: Number(values.sample ?? 1), seed: Number(values.seed ?? 1) }, say);
};

/** The disks of real crashes, and a host whose volume group lost its newest description: a line of JSON for each. */
const wounds = async (): Promise<void> => {
  const tell = (of: string, told: object): void => say(JSON.stringify({ of, told }));
  for (const name of ['wedged-pool', 'torn-vg-metadata']) tell(name, await mendFixture(name));
  tell('torn-host', await mendTornHost());
};

/** A driver that is told to end takes its machine along. */
const endWithMachine = (): void => {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
};

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = { crash, points, wounds };

/** `crash --cycles N [--power CUT] [--seed S]`, `crash --resume DIR` or `points [NAME...] [--cut CUT] [--sample K] [--seed S]` or `wounds`. Gives the exit code. */
export const main = async ([name = '', ...argv]: readonly string[]): Promise<number> => {
  const run = COMMANDS[name];
  if (!run) {
    say(`which one? ${Object.keys(COMMANDS).join(', ')}`);
    return 64;
  }
  endWithMachine();
  try {
    await run(argv);
    return 0;
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
};
