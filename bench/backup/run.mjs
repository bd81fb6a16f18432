// node bench/backup/run.mjs [--rounds N]: what the archiver costs beside GNU tar. bench/README.md says how to read it.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { environment, median } from '../measure.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MIB = 2 ** 20;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });

/** User and system seconds of a shell line and all its programs, and what it said on stderr before. */
const cpuOf = (line) => {
  const script = `TIMEFORMAT='%U %S'; time { ${line}; }`;
  const { status, stderr } = spawnSync('bash', ['-c', script], {
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = stderr.trim().split('\n');
  const [user, system] = lines.at(-1).split(' ').map(Number);
  if (status !== 0 || Number.isNaN(user + system)) throw new Error(`${line}\n${stderr}`);
  return { cpu: user + system, memory: Number(lines.at(-2)) };
};

/** A file with a MiB of random data at each of these MiB. */
const makeImage = (path, mebibytes, places) => {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, mebibytes * MIB);
  for (const place of places) writeSync(fd, randomBytes(MIB), 0, MIB, place * MIB);
  closeSync(fd);
  return path;
};

const upTo = (count, at = (n) => n) => Array.from({ length: count }, (_, n) => at(n));

const rowsFor = (dir, ours) => {
  const dense = makeImage(join(dir, 'dense.img'), 1024, upTo(1024));
  // 50 extents of 4 MiB, all over 10 GiB.
  const sparse = makeImage(
    join(dir, 'sparse.img'),
    10_240,
    upTo(200, (n) => Math.floor(n / 4) * 204 + (n % 4)),
  );
  const half = makeImage(
    join(dir, 'half.img'),
    1024,
    upTo(512, (n) => n + Math.floor(n / 64) * 64),
  );
  const out = join(dir, 'out');
  const target = join(dir, 'target');
  const tar = (file) => `tar -c --sparse -C ${dir} ${file.slice(dir.length + 1)} > ${out}`;
  const archive = (mode, file) => `${ours} ${mode} ${file} > ${out}`;
  spawnSync('bash', ['-c', `${ours} map ${dense} > ${join(dir, 'dense.tar')}`], { env: environment() });
  const inner = join(dir, 'dense.tar');
  return [
    ['1 GiB dense / GNU tar --sparse', archive('map', dense), tar(dense), 1.2],
    ['10 GiB with 200 MiB, holes from the file system / GNU tar --sparse', archive('map', sparse), tar(sparse), 1.5],
    ['the same with the digest of its content, as a backup does it', archive('hashed', sparse), tar(sparse), null],
    ['10 GiB with 200 MiB, scanned / cat | cat', archive('scan', sparse), `cat ${sparse} | cat > ${out}`, null],
    ['1 GiB half full, scanned / cat | cat', archive('scan', half), `cat ${half} | cat > ${out}`, null],
    [
      'restore of 1 GiB / tar -xO | dd conv=sparse',
      `rm -f ${target}; ${ours} restore ${inner} ${target}`,
      `rm -f ${target}; tar -xO -f ${inner} | dd of=${target} bs=128K iflag=fullblock conv=sparse status=none`,
      1.3,
    ],
  ];
};

const measured = ([what, ours, theirs, goal]) => {
  const runs = upTo(Number(values.rounds), () => ({ ours: cpuOf(ours), theirs: cpuOf(theirs) }));
  const a = median(runs.map((run) => run.ours.cpu));
  const b = median(runs.map((run) => run.theirs.cpu));
  const memory = Math.max(...runs.map((run) => run.ours.memory));
  const wanted = goal === null ? '' : `  goal ${goal}`;
  return `${what.padEnd(70)} ${a.toFixed(2)} s / ${b.toFixed(2)} s = ${(a / b).toFixed(2)} x${wanted}  peak ${Math.round(memory / MIB)} MiB`;
};

mkdirSync(join(ROOT, 'bench/.cache'), { recursive: true });
const scratch = mkdtempSync(join(ROOT, 'bench/.cache/backup-'));
try {
  const bundle = join(scratch, 'archive.cjs');
  await build({
    entryPoints: [join(ROOT, 'bench/backup/archive.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // Only a restore needs it, and only then is it loaded.
    external: ['execa'],
    logLevel: 'error',
  });
  for (const row of rowsFor(scratch, `${process.execPath} ${bundle}`)) process.stdout.write(`${measured(row)}\n`);
  const empty = median(upTo(3, () => cpuOf(`${process.execPath} -e 0`).cpu));
  process.stdout.write(
    `CPU of all programs together, medians of ${values.rounds}; an empty node is ${empty.toFixed(2)} s of each of ours\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
