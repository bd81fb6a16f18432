// node bench/lvm/run.mjs [--lvs N] [--rounds N]: what a start and a stop cost on real LVM; with --image, what a backup's look at
// a thin volume costs. bench/README.md says how to read it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    lvs: { type: 'string', default: '80' },
    rounds: { type: 'string', default: '2' },
    image: { type: 'boolean', default: false },
  },
});

/** The machine counts instructions, a thousand million to a second: the same numbers on a busy host as on an idle one. */
const inTheLab = (...argv) => {
  const env = { ...process.env, LAB_COUNTED: '1', LAB_SECONDS: process.env.LAB_SECONDS ?? '1800' };
  const { status, stdout } = spawnSync(join(ROOT, 'test/lab/lab.sh'), argv, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the lab ended with ${status}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1));
};

const ROWS = [
  ['start', 'by hand', 'start by hand', 1.15],
  ['start', 'as stock does it', 'start as stock', 0.5],
  ['stop', 'by hand, the same steps', 'careful stop by hand', 1.15],
  ['stop', 'by hand, discarding under the live name', 'stop by hand', 1.15],
  ['stop', 'as stock does it', 'stop as stock', 0.5],
];

const ms = (number) => `${Math.round(number)}`.padStart(5);

const table = (measured) => {
  const lines = [`ms of CPU                                      programs  node  ratio  with node  goal`];
  for (const [what, than, name, goal] of ROWS) {
    const hand = measured[name].all;
    const ours = measured[`${what} in one process`];
    const programs = ours.all - ours.node;
    const label = `${what} / ${than} (${Math.round(hand)})`.padEnd(46);
    const ratio = (programs / hand).toFixed(2);
    lines.push(`${label} ${ms(programs)} ${ms(ours.node)}   ${ratio}  ${(ours.all / hand).toFixed(2)}       ${goal}`);
  }
  for (const what of ['start', 'stop']) {
    const { all } = measured[`${what} as a command`];
    lines.push(
      `domtrail vm ${what}: ${Math.round(all)} in all; an empty node ${Math.round(measured['empty node'].all)}`,
    );
  }
  return lines.join('\n');
};

/** Stock's tarwriter took this much more than `cat | cat` of such a volume (spec: tarwriter). */
const STOCK = 1.15;

const imageTable = ({ mapped, floor, node }) => {
  const whole = 10 * floor;
  const ratio = (mapped + node) / (STOCK * whole);
  return `10 GiB with 200 MiB, thin metadata: ${ms(mapped)} ms and ${ms(node)} of an empty node; cat | cat of all of it ${ms(whole)} ms; of stock's tarwriter ${ratio.toFixed(3)}  goal 0.1`;
};

const bundled = async (scratch, name) => {
  const outfile = join(scratch, `${name}.cjs`);
  await build({
    entryPoints: [join(ROOT, `bench/lvm/${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    loader: { '.sql': 'text' },
    external: ['bindings'],
    logLevel: 'error',
  });
  return outfile;
};

mkdirSync(join(ROOT, 'bench/.cache'), { recursive: true });
const scratch = mkdtempSync(join(ROOT, 'bench/.cache/lvm-'));
try {
  if (values.image) {
    const measured = inTheLab('node', await bundled(scratch, 'image'), ROOT, values.rounds);
    process.stdout.write(`medians of ${values.rounds} rounds\n${imageTable(measured)}\n`);
  } else {
    const measured = inTheLab('node', await bundled(scratch, 'guest'), ROOT, values.lvs, values.rounds);
    process.stderr.write(`${JSON.stringify(measured)}\n`);
    process.stdout.write(`${values.lvs} other LVs, medians of ${values.rounds} rounds\n${table(measured)}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
