import { type Code, EXIT_OF, failure } from '../../domain/failure.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { err, ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { EXPLANATIONS } from '../../infrastructure/cli/explanations.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';

const HELP = `domtrail explain: what an error code or an invariant means

  domtrail explain D_DIRTY
  domtrail explain no-orphan-snap    what replay, bisect and fsck check
  domtrail explain invariants        all of those
  domtrail explain                   every code, with its exit code
`;

const INVARIANT = new Map(INVARIANTS.map(({ name, sentence }) => [name, sentence]));
const invariantItem = ([invariant, text]: readonly [string, string]) => ({ invariant, text });
const isCode = (text: string): text is Code => Object.hasOwn(EXIT_OF, text);
const item = (code: Code) => ({ code, exit: EXIT_OF[code], text: EXPLANATIONS[code] });

const NOWHEN = { position: 0, time: null };

const tellCodes = (json: boolean): void => {
  const items = Object.keys(EXIT_OF).filter(isCode).map(item);
  if (json) outJson('explain', NOWHEN, { items });
  else
    out(
      items.map((one) => `${one.code.padEnd(22)} ${`${one.exit}`.padStart(3)}  ${one.text.split('. ')[0]}\n`).join(''),
    );
};

const tellInvariants = (json: boolean): void => {
  if (json) outJson('explain', NOWHEN, { items: [...INVARIANT].map(invariantItem) });
  else out([...INVARIANT].map(([name, text]) => `${name}\n    ${text}\n`).join(''));
};

const tellInvariant = (name: string, sentence: string, json: boolean): void => {
  if (json) outJson('explain', NOWHEN, { item: invariantItem([name, sentence]) });
  else out(`${name} (invariant)\n${sentence}\nfind where it broke: domtrail bisect run -- ${name}\n`);
};

const explain: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['CODE'], 'explain', 1);
    if (!words.ok) return words;
    const [code] = words.value;
    const json = args.flag('json');
    const sentence = INVARIANT.get(code ?? '');
    if (code === undefined) tellCodes(json);
    else if (code === 'invariants') tellInvariants(json);
    else if (sentence !== undefined) tellInvariant(code, sentence, json);
    else if (!isCode(code))
      return err(failure('D_NOT_FOUND', `there is no code ${JSON.stringify(code)}`, { next: 'domtrail explain' }));
    else if (json) outJson('explain', NOWHEN, { item: item(code) });
    else out(`${code} (exit ${EXIT_OF[code]})\n${EXPLANATIONS[code]}\n`);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(explain, 'explain', argv);
