import { readFileSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';

/** What esbuild's text loader does in the bundles. */
const sqlAsText = {
  name: 'sql-as-text',
  enforce: 'pre' as const,
  load: (id: string) => (id.endsWith('.sql') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : null),
};

export default defineConfig({
  plugins: [sqlAsText],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'dist/**', 'demo-home/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['domain/**/*.ts', 'infrastructure/**/*.ts', 'projections/**/*.ts', 'migrations/**/*.ts'],
    },
  },
});
