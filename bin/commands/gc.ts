import { formatBytes } from '../../domain/bytes.ts';
import { ok } from '../../domain/result.ts';
import { CHANGING, expectWords } from '../../infrastructure/cli/arguments.ts';
import { runChange } from '../../infrastructure/cli/change.ts';
import { confirm } from '../../infrastructure/cli/confirm.ts';
import { type Action, runAction } from '../../infrastructure/cli/dispatch.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import { built } from '../changing.ts';
import { openReading, openService } from '../compose.ts';

const HELP = `domtrail gc: erase what the log put into the trash

  domtrail gc --plan     what would go, and why
  domtrail gc --yes      erases it

Only disks that the log itself moved to the trash are ever erased.
`;

const gc: Action = {
  options: CHANGING,
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'gc');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { trash } = reading.value.host;
    closeLedger(reading.value.ledger);
    const bytes = [...trash.values()].reduce((sum, { disk }) => sum + disk.bytes, 0);
    if (trash.size > 0) {
      const sure = await confirm(args, `This erases ${trash.size} disks (${formatBytes(bytes)})`, 'yes');
      if (!sure.ok) return sure;
    }
    return runChange(openService(args, 'write'), args, async (service) => {
      const disks = [...currentHost(service.ledger).trash.keys()];
      const command = await built('CollectGarbage', { disks });
      if (!command.ok) return command;
      return ok({
        topic: 'gc',
        command: command.value,
        show: () => ({
          text: disks.length === 0 ? 'the trash is empty\n' : `${disks.length} disks erased (${formatBytes(bytes)})\n`,
          fields: { erased: disks, bytes },
        }),
      });
    });
  },
};

export const main = (argv: readonly string[]): Promise<number> => runAction(gc, 'gc', argv);
