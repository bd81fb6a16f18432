import { out } from '../../infrastructure/cli/output.ts';
import packageJson from '../../package.json' with { type: 'json' };

export const main = async (argv: readonly string[]): Promise<number> => {
  const { name, version } = packageJson;
  out(
    argv.includes('--json')
      ? `${JSON.stringify({ schema: 'domtrail/version/1', item: { name, version } })}\n`
      : `${name} ${version}\n`,
  );
  return 0;
};
