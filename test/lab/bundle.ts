import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** CommonJS packages in the bundle ask for Node's own modules with `require`. */
const BANNER = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

const entry = (name: string): string => `
import { runAll } from 'vitest';
import './test/lab/guest/${name}.guest.ts';
await runAll(${JSON.stringify(name)}, new RegExp(process.env.LAB_ONLY ?? ''));
`;

/**
 * One file per suite, made on the host and with a runner of its own: reading and translating hundreds of modules, and
 * starting vitest, takes the lab machine a minute. It lies in the checkout, where its imports find node_modules, under a
 * name of its own, because a file must not change while a machine may look at it.
 */
export const bundled = async (checkout: string, names: readonly string[]) => {
  const dir = join(checkout, '.cache', `lab-${process.pid}`);
  const files = names.map((name) => join(dir, `${name}.mjs`));
  for (const [index, name] of names.entries()) {
    await build({
      stdin: { contents: entry(name), resolveDir: checkout, loader: 'ts' },
      outfile: files[index] as string,
      absWorkingDir: checkout,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      loader: { '.sql': 'text' },
      alias: { vitest: join(checkout, 'test/lab/guest/runner.ts') },
      external: ['better-sqlite3', 'bindings'],
      banner: { js: BANNER },
      logLevel: 'warning',
    });
  }
  return { files, remove: () => rm(dir, { recursive: true }) };
};
