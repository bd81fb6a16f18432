import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { formatBytes } from '../../domain/bytes.ts';
import { counted } from '../../domain/counted.ts';
import { exitOf, type Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type OpenBackup, openBackup } from '../../infrastructure/backup/open-backup.ts';
import { type BackupReport, type FileReport, verifyBackup } from '../../infrastructure/backup/verify.ts';
import { type Arguments, expectWords } from '../../infrastructure/cli/arguments.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson, talk } from '../../infrastructure/cli/output.ts';
import { passphraseFor } from '../../infrastructure/cli/passphrase.ts';
import { escapeText, table } from '../../infrastructure/cli/text.ts';
import { cancelAction } from '../backup-cancel.ts';
import { createAction } from '../backup-create.ts';
import { restoreAction } from '../backup-restore.ts';
import { resumeAction } from '../backup-resume.ts';

const HELP = `domtrail backup: Qubes backups, made, looked into and restored

  domtrail backup create -o FILE|- [VM...]           the committed state of volumes
  domtrail backup resume|cancel [ID]                 one that was interrupted
  domtrail backup verify FILE --passphrase-file F    is every volume in it, and whole?
  domtrail backup list FILE                          which VMs it says it holds
  domtrail backup restore FILE [VM...]               as a whole or not at all
  ssh host cat FILE | domtrail backup verify - --passphrase-file F

Formats 2, 3 and 4, as Qubes 2, 3 and 4 write them; create writes format 4. verify and
list need no home. verify opens, unpacks and hashes everything, and finds what stock
tools pass over: a volume that is missing as a whole, a last chunk that was cut off. It
exits 6 for any problem and says what an archive of this format cannot prove.
`;

/** A file's own name means nothing to a format: as_of is for the log, which has no part in this. */
const NOWHERE = { position: 0, time: null };

type Opened = { readonly backup: OpenBackup; readonly file: Readable };

const opened = async (args: Arguments, topic: string): Promise<Result<Opened, Failure>> => {
  const words = expectWords(args.values, ['FILE'], topic);
  if (!words.ok) return words;
  const passphrase = await passphraseFor(args, topic);
  if (!passphrase.ok) return passphrase;
  const [name = ''] = words.value;
  const file = name === '-' ? process.stdin : createReadStream(name, { highWaterMark: 2 ** 20 });
  const backup = await openBackup(file, { passphrase: passphrase.value });
  return backup.ok ? ok({ backup: backup.value, file }) : backup;
};

const OPTIONS = { 'passphrase-file': 'value' } as const;

const list: Action = {
  options: OPTIONS,
  help: HELP,
  run: async (args) => {
    const result = await opened(args, 'backup');
    if (!result.ok) return result;
    const { backup, file } = result.value;
    file.destroy();
    const vms = backup.vms.map(({ name, class: vmClass, bytes, images }) => ({ name, class: vmClass, bytes, images }));
    const { version, encrypted, filter } = backup.header;
    if (args.flag('json'))
      outJson('backup-list', NOWHERE, { item: { format: version, encrypted, compression: filter, vms } });
    else {
      const rows = vms.map((vm) => [
        vm.name,
        vm.class,
        vm.bytes === null ? '-' : formatBytes(vm.bytes),
        vm.images.join(' '),
      ]);
      out(table(['VM', 'CLASS', 'DISK USED', 'IMAGES'], rows, lineWidth()));
    }
    return ok(0);
  },
};

const fileRow = (vm: string, file: FileReport): readonly string[] => [
  vm,
  file.name,
  file.size === null ? '-' : formatBytes(file.size),
  `${file.chunks}`,
  file.ok ? 'ok' : `! ${file.problem}`,
];

const reportText = ({ ok: whole, vms, problems, unchecked }: BackupReport): string => {
  const rows = vms.flatMap((vm) => vm.files.map((file) => fileRow(vm.name, file)));
  const files = vms.flatMap((vm) => vm.files);
  const bad = files.filter((file) => !file.ok).length;
  const lines = [
    ...problems.map((problem) => `! ${escapeText(problem)}`),
    whole
      ? `${counted(vms.length, 'VM')}, ${counted(files.length, 'file')}: all of them whole`
      : `${bad} of ${files.length} files and ${problems.length} other things are not as they should be`,
    ...unchecked.map((sentence) => `not checked: ${sentence}`),
  ];
  return `${table(['VM', 'FILE', 'SIZE', 'CHUNKS', 'STATE'], rows, lineWidth())}${lines.join('\n')}\n`;
};

const verify: Action = {
  options: OPTIONS,
  help: HELP,
  run: async (args) => {
    const result = await opened(args, 'backup');
    if (!result.ok) return result;
    const report = await verifyBackup(result.value.backup, {
      sha256: args.flag('json'),
      onArchive: (path) => {
        if (process.stderr.isTTY) talk(`\r\u001b[Kreading ${escapeText(path)}`);
      },
    });
    if (process.stderr.isTTY) talk('\r\u001b[K');
    if (args.flag('json')) outJson('backup-verify', NOWHERE, { item: report });
    else out(reportText(report));
    return ok(report.ok ? 0 : exitOf('D_VERIFY'));
  },
};

const ACTIONS = {
  create: createAction,
  resume: resumeAction,
  cancel: cancelAction,
  verify,
  list,
  restore: restoreAction(verify),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('backup', ACTIONS, HELP, argv);
