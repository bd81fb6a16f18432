import { type Code, EXIT_OF, failure } from '../../domain/failure.ts';
import { err, ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { EXPLANATIONS } from '../../infrastructure/cli/explanations.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';

const HELP = `domtrail explain: what an error code means and what to do

  domtrail explain D_DIRTY
  domtrail explain            every code, with its exit code
`;

const isCode = (text: string): text is Code => Object.hasOwn(EXIT_OF, text);
const item = (code: Code) => ({ code, exit: EXIT_OF[code], text: EXPLANATIONS[code] });

const explain: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['CODE'], 'explain', 1);
    if (!words.ok) return words;
    const [code] = words.value;
    const asOf = { position: 0, time: null };
    if (code === undefined) {
      const items = Object.keys(EXIT_OF).filter(isCode).map(item);
      if (args.flag('json')) outJson('explain', asOf, { items });
      else
        out(
          items
            .map((one) => `${one.code.padEnd(22)} ${`${one.exit}`.padStart(3)}  ${one.text.split('. ')[0]}\n`)
            .join(''),
        );
      return ok(0);
    }
    if (!isCode(code))
      return err(failure('D_NOT_FOUND', `there is no code ${JSON.stringify(code)}`, { next: 'domtrail explain' }));
    if (args.flag('json')) outJson('explain', asOf, { item: item(code) });
    else out(`${code} (exit ${EXIT_OF[code]})\n${EXPLANATIONS[code]}\n`);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(explain, 'explain', argv);
