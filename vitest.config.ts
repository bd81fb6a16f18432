import { readFileSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What esbuild's text loader does in the bundles. */
const sqlAsText = {
  name: 'sql-as-text',
  enforce: 'pre' as const,
  load: (id: string) => (id.endsWith('.sql') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : null),
};

const isLab = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/test/lab/');

/** The lab's files take minutes and wait for a machine of their own: they go first, the others fill what is left. */
class LabFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLab), ...sorted.filter((file) => !isLab(file))];
  }
}

export default defineConfig({
  plugins: [sqlAsText],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'dist/**', 'demo-home/**'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LabFirst },
    globalSetup: 'test/lab/announce.ts',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      include: ['domain/**/*.ts', 'infrastructure/**/*.ts', 'projections/**/*.ts', 'migrations/**/*.ts'],
    },
  },
});
