import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../../infrastructure/cli/output.ts';
import { table } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { built, changingIn, say } from '../changing.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail label: the colors of trust

  domtrail label list
  domtrail label add lime 0x00ff00
  domtrail label remove lime          one that no VM has, and none of the first 8

Every change takes --plan (show the steps, change nothing), -m REASON,
--id KEY (the same key twice is done once), --json, --wait SECONDS.
`;

const changing = changingIn('label', HELP);

const list: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'label');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const items = [...(host.site?.labels ?? [])].sort((a, b) => a.index - b.index);
    if (args.flag('json')) outJson('label-list', asOf, { items });
    else {
      const rows = items.map(({ index, name, color }) => [`${index}`, name, color]);
      out(table(['INDEX', 'NAME', 'COLOR'], rows, lineWidth()));
    }
    return ok(0);
  },
};

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  add: changing({
    topic: 'label-add',
    words: ['NAME', 'COLOR'],
    build: (_args, [name, color]) => built('SetLabel', { name, color }),
    show: (_service, [name]) => say(`label ${name} added`),
  }),
  remove: changing({
    topic: 'label-remove',
    words: ['NAME'],
    build: (_args, [name]) => built('SetLabel', { name, color: null }),
    show: (_service, [name]) => say(`label ${name} removed`),
  }),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('label', ACTIONS, HELP, argv);
