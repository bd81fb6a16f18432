import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { tellerAt, tellStory } from '../../infrastructure/cli/demo-story.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out } from '../../infrastructure/cli/output.ts';

const HELP = `domtrail demo: a volume's life, with a crash in the middle of a commit

  domtrail demo [DIR]      in DIR (default demo-home), which is left to go on with

An existing DIR is left alone; DIR-2, DIR-3 ... is taken instead.
`;

/** A name that does not exist yet: what somebody tried out there is theirs. */
const freshDir = (wished: string): string => {
  for (let n = 1; ; n++) {
    const dir = n === 1 ? wished : `${wished}-${n}`;
    if (!existsSync(dir)) return dir;
  }
};

const demo: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['DIR'], 'demo', 1);
    if (!words.ok) return words;
    const home = freshDir(resolve(words.value[0] ?? 'demo-home'));
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const executable = join(__dirname, '..', '..', 'bin', 'domtrail.cjs');
    const told = tellStory(tellerAt(home, executable));
    if (!told.ok) return told;
    out(`\n# Go on alone:\n\n  export DOMTRAIL_HOME=${home}\n  node ${executable} help\n`);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(demo, 'demo', argv);
