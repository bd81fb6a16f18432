import type { Unwritten } from '../domain/backup/interrupted.ts';
import { counted } from '../domain/counted.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { archiverFor } from '../infrastructure/backup/archiver.ts';
import { targetIsFree } from '../infrastructure/backup/deliver.ts';
import { hasBegun, type Interrupted, lookAtInterrupted, placeOf } from '../infrastructure/backup/interrupted.ts';
import type { KeyCost } from '../infrastructure/backup/seal.ts';
import { type Arguments, expectWords } from '../infrastructure/cli/arguments.ts';
import { showSubmitted } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { talk } from '../infrastructure/cli/output.ts';
import { newPassphraseFor, passphraseFor } from '../infrastructure/cli/passphrase.ts';
import { escapeText, shortId } from '../infrastructure/cli/text.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { isInterrupted, resumeBackup, unwrittenBackups } from '../infrastructure/service/resume-backup.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { backupXml } from '../projections/qubes-xml/backup-xml.ts';
import { backupNamed } from './backup-named.ts';
import { costOf, stallOf } from './backup-options.ts';
import { committedAt, shownBackup } from './backup-shown.ts';
import { openService } from './compose.ts';
import { interruptible } from './interruptible.ts';

const HELP = `domtrail backup resume: go on with a backup whose process died

  domtrail backup resume --passphrase-file F        the one that was interrupted
  domtrail backup resume ID --passphrase-file F     one of several (domtrail status)

ID is the command's id or the backup-id. The passphrase is the one the backup was begun
with. What was complete and on the disk stays, and is read once to see that it is still as
it was written; the rest is made from the snapshots of then. Until it is resumed, its
snapshots stay; "backup cancel", "recover", or a command that needs what it holds gives
it up. Ctrl-C while it writes gives it up as well.

  --kdf-cost N                where nothing was complete yet; otherwise as it was begun
  --stall-timeout SECONDS     gives up when nothing moves for so long (300; 0: never)
`;

const TOPIC = 'backup resume';

const wanted = (service: Service, text: string | undefined): Result<Unwritten, Failure> => {
  const all = unwrittenBackups(currentHost(service.ledger));
  const named = backupNamed(
    all.map(({ operation }) => operation),
    text,
    'resume',
  );
  if (!named.ok) return named;
  const found = all.find(({ operation }) => operation === named.value);
  if (!found) return err(failure('D_NOT_FOUND', 'no backup is interrupted', { next: 'domtrail status' }));
  const { command } = found.operation;
  if (isInterrupted(found)) return ok(found);
  const next = `domtrail backup cancel ${shortId(command)}   (ends it)`;
  return err(failure('D_BUSY', `cmd:${command} is being written`, { holder: command, next }));
};

type Ready = {
  readonly passphrase: string;
  readonly cost: KeyCost;
  readonly stallMs: number;
  readonly interrupted: Interrupted | null;
};

/** All that can be wrong is found out here, where nothing has been touched and all can be tried again. */
const ready = async (args: Arguments, { archive }: Unwritten): Promise<Result<Ready, Failure>> => {
  const cost = costOf(args, TOPIC);
  if (!cost.ok) return cost;
  const stallMs = stallOf(args, TOPIC);
  if (!stallMs.ok) return stallMs;
  const place = placeOf(archive);
  const free = await targetIsFree(place.path);
  if (!free.ok) return free;
  const begun = await hasBegun(place);
  if (!begun.ok) return begun;
  // There may be nothing yet that would tell a wrong one: it is a new one then.
  const passphrase = await (begun.value ? passphraseFor : newPassphraseFor)(args, TOPIC);
  if (!passphrase.ok) return passphrase;
  const interrupted = await lookAtInterrupted(place, passphrase.value);
  if (!interrupted.ok) return interrupted;
  return ok({
    passphrase: passphrase.value,
    cost: interrupted.value?.cost ?? cost.value,
    stallMs: stallMs.value,
    interrupted: interrupted.value,
  });
};

const archiverOf = (service: Service, { interrupted, ...rest }: Ready, signal: AbortSignal) =>
  archiverFor({
    ...rest,
    ...(interrupted ? { interrupted } : {}),
    host: () => (interrupted ? service.stateAt(interrupted.taken.event) : currentHost(service.ledger)),
    qubesXml: backupXml,
    committed: (_volume, disk) => committedAt(service, disk),
    signal,
    stdout: 1,
  });

const resume = async (
  service: Service,
  args: Arguments,
  text: string | undefined,
): Promise<Result<number, Failure>> => {
  const found = wanted(service, text);
  if (!found.ok) return found;
  const prepared = await ready(args, found.value);
  if (!prepared.ok) return prepared;
  const { command } = found.value.operation;
  const there = prepared.value.interrupted?.finished.length ?? 0;
  talk(`BackupVM cmd:${escapeText(shortId(command))}: ${counted(there, 'file')} complete; going on with the next\n`);
  return interruptible(async (signal) => {
    const archiver = archiverOf(service, prepared.value, signal);
    const submitted = await resumeBackup({ ...service, archiver }, command);
    if (!submitted.ok) return submitted;
    const told = { topic: 'backup-resume', name: 'BackupVM', show: () => shownBackup(service, command) } as const;
    return ok(showSubmitted(service, submitted.value, told, args.flag('json')));
  });
};

/** `backup resume [ID]`. */
export const resumeAction: Action = {
  options: { 'passphrase-file': 'value', 'kdf-cost': 'value', 'stall-timeout': 'value' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['[ID]'], 'backup', 1);
    if (!words.ok) return words;
    const service = openService(args, 'write');
    if (!service.ok) return service;
    try {
      return await resume(service.value, args, words.value[0]);
    } finally {
      closeService(service.value);
    }
  },
};
