import { failure } from '../../domain/failure.ts';
import { err, ok } from '../../domain/result.ts';
import { wordsOf } from '../../domain/words.ts';
import { expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { causeText } from '../../infrastructure/cli/breach.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { eventItem } from '../../infrastructure/cli/event-item.ts';
import { out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { type Chain, chainOf, type Link } from '../cause-chain.ts';
import { openReading } from '../compose.ts';

const HELP = `domtrail why: from a disk back to the people who made it what it is

  domtrail why work:private                     its committed disk
  domtrail why qubes_dom0/vm-work-private-snap  an LV, or the path of a file
  domtrail why qubes_dom0/vm-gone-private       also of a VM that is gone
  domtrail why ev:1042                          an event, or cmd:ID: who asked for it
  domtrail why work:private -n 0                all of its past (the last 3 disks)

Goes from each disk to the one whose content it goes on from. Each line says what
is so, the event that made it so, the command behind it, and who asked for that.
`;

const DISKS = 3;

const linkText = ({ what, recorded, command, argv }: Link): string => {
  const lines = [
    escapeText(what),
    `  ev:${recorded.position}  ${localTime(recorded.time)}  ${escapeText(wordsOf(recorded.event))}`,
    ...argv.map((words) => `    $ ${words.map(escapeText).join(' ')}`),
    ...(command ? [`  ${escapeText(causeText(command))}`] : []),
    ...(command && command.actor.argv.length > 0
      ? [`    $ ${escapeText([command.actor.tool, ...command.actor.argv].join(' '))}`]
      : []),
  ];
  return `${lines.join('\n')}\n`;
};

const linkItem = ({ what, recorded, command, argv }: Link) => ({
  what,
  ...eventItem(recorded, command?.actor ?? null),
  argv,
  name: command?.name ?? null,
  reason: command?.reason ?? null,
});

const page = ({ links, more, object }: Chain): string =>
  `${links.map(linkText).join('')}${more ? `and so on: domtrail why ${escapeText(object)} -n 0\n` : ''}`;

const why: Action = {
  options: { number: 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['OBJECT'], 'why');
    if (!words.ok) return words;
    const number = args.text('number') ?? `${DISKS}`;
    if (!/^[0-9]{1,9}$/.test(number)) return err(usage('-n takes a whole number', 'why'));
    const reading = openReading(args);
    if (!reading.ok) return reading;
    try {
      const [text = ''] = words.value;
      const chain = chainOf(reading.value, text, Number(number) || Number.POSITIVE_INFINITY);
      if (!chain || chain.links.length === 0) {
        return err(
          failure('D_NOT_FOUND', `the log knows no ${text}`, { next: `domtrail log ${text}   searches every event` }),
        );
      }
      if (args.flag('json')) {
        outJson('why', reading.value.asOf, { item: { ...chain, links: chain.links.map(linkItem) } });
      } else out(page(chain));
      return ok(0);
    } finally {
      closeLedger(reading.value.ledger);
    }
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(why, 'why', argv);
