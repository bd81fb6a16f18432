import { readFileSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What esbuild's text loader does in the bundles. */
const sqlAsText = {
  name: 'sql-as-text',
  enforce: 'pre' as const,
  load: (id: string) => (id.endsWith('.sql') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : null),
};

const SLOW_FIRST = ['/test/lab/', '/test/cli/', '/test/storage/'];

const rank = ({ moduleId }: TestSpecification): number => {
  const place = SLOW_FIRST.findIndex((dir) => moduleId.includes(dir));
  return place < 0 ? SLOW_FIRST.length : place;
};

/**
 * The lab's files take minutes of a machine of their own: they go first, then what starts many processes, and short files
 * fill what is left. With two workers there are never more than two machines.
 */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  plugins: [sqlAsText],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'dist/**', 'demo-home/**'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    globalSetup: 'test/lab/announce.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['domain/**/*.ts', 'infrastructure/**/*.ts', 'projections/**/*.ts', 'migrations/**/*.ts'],
    },
  },
});
