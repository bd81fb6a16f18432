import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OPTIONS = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning', absWorkingDir: ROOT };

/** What the guest runs: built on the host, since the guest's processor is an emulated one. */
export const buildWorker = async () => {
  const external = ['bindings'];
  const outdir = join(ROOT, 'dist', 'lab');
  const more = { format: 'cjs', minify: true, loader: { '.sql': 'text' }, external, outdir };
  const entryPoints = ['work', 'mend'].map((name) => join(ROOT, 'test', 'lab', 'guest', `${name}.ts`));
  await build({ ...OPTIONS, ...more, outExtension: { '.js': '.cjs' }, entryPoints });
};

export const buildHost = async () => {
  const outfile = join(ROOT, 'dist', 'lab', 'host.mjs');
  await build({ ...OPTIONS, format: 'esm', outfile, entryPoints: [join(ROOT, 'test/lab/host/main.ts')] });
  return pathToFileURL(outfile).href;
};
