import { isArchive } from '../domain/backup/archive.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { type Arguments, expectWords } from '../infrastructure/cli/arguments.ts';
import { asOf } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { shortId } from '../infrastructure/cli/text.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { cancelBackup } from '../infrastructure/service/cancel-backup.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { backupNamed } from './backup-named.ts';
import { openService } from './compose.ts';

const HELP = `domtrail cancel: end a backup that is being made, or give up an interrupted one

  domtrail cancel          the only one there is
  domtrail cancel ID       one of several: a command's id or a backup-id (domtrail status)

The same as domtrail backup cancel. A backup that is being made is ended by its own
process, as by Ctrl-C. Either way no file and no snapshot of it is left. One that came to
its end first keeps its file (exit 4).
`;

const open = (service: Service) =>
  [...currentHost(service.ledger).operations.values()].filter(({ plan }) =>
    plan.main.some(({ deed }) => isArchive(deed)),
  );

const cancel = async (
  service: Service,
  args: Arguments,
  text: string | undefined,
): Promise<Result<number, Failure>> => {
  const named = backupNamed(open(service), text, 'cancel');
  if (!named.ok) return named;
  const json = args.flag('json');
  if (!named.value) {
    if (json) outJson('backup-cancel', asOf(service), { item: { command: null, outcome: null } });
    else out('no backup is under way\n');
    return ok(0);
  }
  const { command } = named.value;
  const cancelled = await cancelBackup(service, command);
  if (!cancelled.ok) return cancelled;
  const outcome = cancelled.value.outcome?.outcome ?? null;
  if (outcome === 'completed')
    return err(failure('D_CANNOT_UNDO', `cmd:${command} came to its end first: the backup is there`));
  if (json) outJson('backup-cancel', asOf(service), { item: { command, outcome, ended: cancelled.value.told } });
  else out(`BackupVM cmd:${shortId(command)} cancelled: nothing of it is left\n`);
  return ok(0);
};

/** `cancel [ID]` and `backup cancel [ID]`. */
export const cancelAction: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['[ID]'], 'cancel', 1);
    if (!words.ok) return words;
    const service = openService(args, 'write');
    if (!service.ok) return service;
    try {
      return await cancel(service.value, args, words.value[0]);
    } finally {
      closeService(service.value);
    }
  },
};
