import { parseArgs } from 'node:util';
import { crashCycles } from './crash.ts';
import type { Cut } from './sectors.ts';

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
  const options = { cycles: { type: 'string' }, power: { type: 'string' }, seed: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 10_000));
  say(`seed ${seed}`);
  await crashCycles({ cycles: Number(values.cycles ?? 30), power: powerOf(values.power), seed }, say);
};

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => Promise<void>>> = { crash };

/** `crash --cycles N [--power none|prefix|random] [--seed S]`. Gives the exit code. */
export const main = async ([name = '', ...argv]: readonly string[]): Promise<number> => {
  const run = COMMANDS[name];
  if (!run) {
    say(`which one? ${Object.keys(COMMANDS).join(', ')}`);
    return 64;
  }
  try {
    await run(argv);
    return 0;
  } catch (error) {
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
};
