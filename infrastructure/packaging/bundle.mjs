import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { DIST_STAMP, distStamp, ROOT, writeStamp } from './stamp.mjs';

const COMMANDS = join(ROOT, 'bin', 'commands');
const OUT = join(ROOT, 'dist', 'commands');

const OPTIONS = {
  bundle: true,
  // CommonJS starts faster than ESM, and an `import()` becomes a lazy function call inside the same file.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  target: 'node20',
  loader: { '.sql': 'text' },
  // The ledger names the addon's file itself; `bindings` would search the disk for it at every start.
  external: ['bindings'],
  // rxjs offers Node its CommonJS build, which cannot be tree-shaken.
  alias: { rxjs: join(ROOT, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js') },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  logLevel: 'warning',
};

/** One self-contained file per command. Each is renamed into place: a command running meanwhile never reads half a file. */
export const bundle = async () => {
  const stamp = distStamp();
  const entryPoints = readdirSync(COMMANDS)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(COMMANDS, name));
  const { outputFiles } = await build({ ...OPTIONS, entryPoints, outdir: OUT, write: false, absWorkingDir: ROOT });
  mkdirSync(OUT, { recursive: true });
  for (const { path, contents } of outputFiles) {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, contents);
    renameSync(draft, path);
  }
  const built = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const name of readdirSync(OUT)) if (!built.has(name)) rmSync(join(OUT, name), { recursive: true });
  writeStamp(DIST_STAMP, stamp);
  return entryPoints.length;
};
