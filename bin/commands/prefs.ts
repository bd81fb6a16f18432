import { failure } from '../../domain/failure.ts';
import { err, ok } from '../../domain/result.ts';
import { CHANGING, expectWords } from '../../infrastructure/cli/arguments.ts';
import { runChange } from '../../infrastructure/cli/change.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, table } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { built, say } from '../changing.ts';
import { openReading, openService } from '../compose.ts';

const HELP = `domtrail prefs: the settings of the whole host

  domtrail prefs                           those that were set
  domtrail prefs default_netvm
  domtrail prefs default_netvm sys-net
  domtrail prefs default_netvm --default   back to the default

Every change takes --plan (show the steps, change nothing), -m REASON,
--id KEY (the same key twice is done once), --json, --wait SECONDS.
`;

const show = (args: Parameters<Action['run']>[0]) => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { host, asOf, ledger } = reading.value;
  closeLedger(ledger);
  const all = host.site?.properties ?? {};
  const [name] = args.values;
  if (name !== undefined && !Object.hasOwn(all, name)) return err(failure('D_NOT_FOUND', `${name} is not set`));
  if (args.flag('json')) outJson('prefs', asOf, { item: name === undefined ? all : { [name]: all[name] } });
  else if (name !== undefined) out(`${escapeText(all[name] ?? '')}\n`);
  else out(table(['NAME', 'VALUE'], Object.entries(all), lineWidth()));
  return ok(0);
};

const prefs: Action = {
  options: { ...CHANGING, default: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['NAME', 'VALUE'], 'prefs', 2);
    if (!words.ok) return words;
    const [name, value] = words.value;
    if (value === undefined && !args.flag('default')) return show(args);
    const command = await built('SetProperty', { vm: null, name, value: value ?? null });
    if (!command.ok) return command;
    const text = value === undefined ? `${name} has its default` : `${name} is ${escapeText(value)}`;
    return runChange(openService(args, 'write'), args, () =>
      ok({ topic: 'prefs', command: command.value, show: () => say(text) }),
    );
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(prefs, 'prefs', argv);
