import { formatBytes } from '../../domain/bytes.ts';
import { counted } from '../../domain/counted.ts';
import { failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { type Keeping, trashKept } from '../../domain/host/retention.ts';
import { err, ok } from '../../domain/result.ts';
import { type Arguments, CHANGING, expectWords } from '../../infrastructure/cli/arguments.ts';
import { runChange } from '../../infrastructure/cli/change.ts';
import { confirm } from '../../infrastructure/cli/confirm.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { escapeText, localTime } from '../../infrastructure/cli/text.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import { built } from '../changing.ts';
import { openReading, openService } from '../compose.ts';
import { scarcePools } from '../pools-seen.ts';

const HELP = `domtrail gc: erase what the log put into the trash

  domtrail gc --plan     what would go, what stays until when, and why
  domtrail gc --yes      erases it
  domtrail gc DISK       only that one, by the id that retention --json shows
  domtrail gc --all      also what was removed less than 48 hours ago: then no
                         undo brings it back

Only disks that the log itself moved to the trash are ever erased. What was
removed waits there for 48 hours, shorter where its pool needs the room.
`;

type Sorted = { readonly going: readonly Keeping[]; readonly staying: readonly Keeping[] };

/** One disk by its id goes whatever its age; without one, what may go. */
const sorted = async (host: Host, args: Arguments): Promise<Sorted> => {
  const [disk] = args.values;
  const kept = trashKept(host, { now: Date.now(), scarce: await scarcePools(host), all: args.flag('all') });
  const isGoing = ({ id, goes }: Keeping): boolean => (disk === undefined ? goes === 'gc' : id === disk);
  return { going: kept.filter(isGoing), staying: kept.filter((one) => !isGoing(one)) };
};

const sum = (list: readonly Keeping[]): number => list.reduce((bytes, one) => bytes + one.bytes, 0);

const line = (sign: string, { object, bytes, until, goes, because }: Keeping): string => {
  const when = goes === 'stays' && until !== null ? ` until ${localTime(until)}` : '';
  return `  ${sign} ${escapeText(object)}, ${formatBytes(bytes)}: ${goes === 'gc' ? 'goes' : 'stays'}${when}, ${because}\n`;
};

const lines = ({ going, staying }: Sorted): string =>
  [...going.map((one) => line('-', one)), ...staying.map((one) => line('=', one))].join('');

const doneText = ({ going, staying }: Sorted): string => {
  const stays = staying.length === 0 ? '' : `, ${staying.length} stay: domtrail gc --plan`;
  if (going.length > 0) return `${counted(going.length, 'disk')} erased (${formatBytes(sum(going))})${stays}\n`;
  return staying.length === 0 ? 'the trash is empty\n' : `nothing may go yet${stays}\n`;
};

const gc: Action = {
  options: { ...CHANGING, all: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['DISK'], 'gc', 1);
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, ledger } = reading.value;
    closeLedger(ledger);
    const { going } = await sorted(host, args);
    const [disk] = words.value;
    if (disk !== undefined && going.length === 0) {
      return err(failure('D_NOT_FOUND', `${disk} is not in the trash`, { next: 'domtrail retention' }));
    }
    if (going.length > 0) {
      const sure = await confirm(
        args,
        `This erases ${counted(going.length, 'disk')} (${formatBytes(sum(going))})`,
        'yes',
      );
      if (!sure.ok) return sure;
    }
    return runChange(openService(args, 'write'), args, async (service) => {
      const now = await sorted(currentHost(service.ledger), args);
      const disks = now.going.map(({ id }) => id);
      const command = await built('CollectGarbage', { disks });
      if (!command.ok) return command;
      return ok({
        topic: 'gc',
        command: command.value,
        planned: () => lines(now),
        show: () => ({ text: doneText(now), fields: { erased: disks, bytes: sum(now.going), kept: now.staying } }),
      });
    });
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(gc, 'gc', argv);
