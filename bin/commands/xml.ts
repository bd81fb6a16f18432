import { ok } from '../../domain/result.ts';
import { expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { qubesXml } from '../../projections/qubes-xml/qubes-xml.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail xml: qubes.xml as the log has it

  domtrail xml
  domtrail xml --at ev:42          as it was then
`;

const xml: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'xml');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    closeLedger(ledger);
    const text = qubesXml(host);
    if (!text.ok) return text;
    if (args.flag('json')) outJson('xml', asOf, { item: { xml: text.value } });
    else out(text.value);
    return ok(0);
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(xml, 'xml', argv);
