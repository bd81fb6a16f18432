import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** For the suites inside the lab machine, which emulates one slow processor: one worker, loaded once. */
// biome-ignore lint/style/noDefaultExport: vitest reads nothing else
export default defineConfig({
  plugins: [
    {
      name: 'sql-as-text',
      enforce: 'pre',
      load: (id: string) =>
        id.endsWith('.sql')
          ? `// biome-ignore lint/style/noDefaultExport: vitest reads nothing else
export default ${JSON.stringify(readFileSync(id, 'utf8'))};`
          : null,
    },
  ],
  test: {
    include: ['test/lab/guest/*.guest.ts'],
    pool: 'threads',
    isolate: false,
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
