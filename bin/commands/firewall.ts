import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { checkWith } from '../firewall-check.ts';

const HELP = `domtrail firewall: what the machines may reach

  domtrail firewall check -f rules.txt        one rule a line, no VM needed
`;

const ACTIONS: Readonly<Record<string, Action>> = {
  check: checkWith(HELP),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('firewall', ACTIONS, HELP, argv);
