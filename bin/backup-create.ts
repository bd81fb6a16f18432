import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Failure, failure } from '../domain/failure.ts';
import type { Host } from '../domain/host/host.ts';
import type { VmName } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { inDomainOrder } from '../domain/vm/order.ts';
import { archiverFor } from '../infrastructure/backup/archiver.ts';
import { targetIsFree } from '../infrastructure/backup/deliver.ts';
import { type KeyCost, usualCost } from '../infrastructure/backup/seal.ts';
import { type Arguments, CHANGING, usage } from '../infrastructure/cli/arguments.ts';
import { type Change, runChange } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { newPassphraseFor } from '../infrastructure/cli/passphrase.ts';
import { localTime } from '../infrastructure/cli/text.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import type { Service } from '../infrastructure/service/service.ts';
import { backupXml } from '../projections/qubes-xml/backup-xml.ts';
import { costOf, stallOf } from './backup-options.ts';
import { committedAt, shownBackup } from './backup-shown.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';
import { usualHome } from './dom0-home.ts';
import { interruptible } from './interruptible.ts';

const HELP = `domtrail backup create: VMs into a file that Qubes and domtrail restore

  domtrail backup create -o /mnt/usb --passphrase-file F        all VMs
  domtrail backup create -o FILE work vault                     these
  domtrail backup create -o FILE --exclude scratch --compress zstd
  domtrail backup create -o FILE work dom0                      also dom0's home
  domtrail backup create -o - work | ssh host 'cat > work.qbk'

Each volume is taken as it was committed last; of a running VM, the output says when
that was. Snapshots keep the picture while it is written (in file pools the VMs cannot be
started or stopped meanwhile) and go when it is done. The file has its name only when it
is whole. A disk that cannot be read is named, the rest goes on, and the exit code is 1.
Ctrl-C or "domtrail cancel" takes it back; after a crash, "domtrail backup resume" goes on.

  --dom0-home DIR             what of dom0 is backed up, with its name or without (the home
                              of the first member of the group qubes; else yours)
  --compress gzip|zstd|none   gzip is what every stock system reads
  --kdf-cost N                2^N for scrypt (default ${usualCost().logN}); less is faster and weaker
  --stall-timeout SECONDS     gives up when nothing moves for so long (300; 0: never)
`;

const DOM0 = 'dom0';

const SKIPPED: ReadonlySet<string> = new Set(['AdminVM', 'RemoteVM', 'DispVM']);

const chosen = (host: Host, args: Arguments): Result<readonly string[], Failure> => {
  const excluded = args.list('exclude');
  const unknown = excluded.find((name) => !host.vms.has(name as VmName));
  if (unknown !== undefined) return err(failure('D_NOT_FOUND', `there is no VM ${unknown} to exclude`));
  const usual = [...host.vms.values()]
    .filter((vm) => !SKIPPED.has(vm.class) && vm.properties['include_in_backups'] !== 'False')
    .sort(inDomainOrder)
    .map(({ name }) => name);
  const home = args.text('dom0-home') === undefined ? [] : [DOM0];
  const names = [...(args.values.length > 0 ? args.values : usual), ...home].filter((name) => !excluded.includes(name));
  return names.length > 0 ? ok(names) : err(failure('D_BAD_INPUT', 'no VM is left to back up'));
};

const homeFor = (args: Arguments, names: readonly string[]): Result<{ home?: { path: string } }, Failure> => {
  if (!names.includes(DOM0)) return ok({});
  const path = args.text('dom0-home') ?? usualHome();
  if (path === null) return err(usage('nobody can tell which home is meant: --dom0-home DIR', 'backup create'));
  if (!isDirectory(path)) return err(failure('D_NOT_FOUND', `${path} is no directory`));
  return ok({ home: { path: resolve(path) } });
};

type Target = { readonly kind: 'file'; readonly path: string } | { readonly kind: 'stdout' };

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** In a directory the backup gets the name that stock would give it. */
const targetOf = (args: Arguments): Result<Target, Failure> => {
  const given = args.text('output');
  if (given === undefined) return err(usage('-o FILE is missing (- for standard output)', 'backup create'));
  if (given === '-')
    return args.flag('json')
      ? err(usage('--json and -o - both want standard output', 'backup create'))
      : ok({ kind: 'stdout' });
  const path = resolve(given);
  const name = `qubes-${localTime(Date.now()).replace(' ', 'T').replaceAll(':', '')}`;
  return ok({ kind: 'file', path: isDirectory(path) ? join(path, name) : path });
};

type Asked = { readonly target: Target; readonly cost: KeyCost; readonly stallMs: number; readonly passphrase: string };

const withArchiver = (service: Service, { cost, stallMs, passphrase }: Asked, signal: AbortSignal): Service => ({
  ...service,
  archiver: archiverFor({
    passphrase,
    cost,
    host: () => currentHost(service.ledger),
    qubesXml: backupXml,
    committed: (_volume, disk) => committedAt(service, disk),
    signal,
    stallMs,
    stdout: 1,
  }),
});

const asked = async (args: Arguments): Promise<Result<Asked, Failure>> => {
  const target = targetOf(args);
  if (!target.ok) return target;
  const cost = costOf(args, 'backup create');
  if (!cost.ok) return cost;
  const stall = stallOf(args, 'backup create');
  if (!stall.ok) return stall;
  const free = target.value.kind === 'file' ? await targetIsFree(target.value.path) : ok(null);
  if (!free.ok && args.text('id') === undefined) return free;
  const passphrase = args.flag('plan') ? ok('') : await newPassphraseFor(args, 'backup create');
  if (!passphrase.ok) return passphrase;
  return ok({ target: target.value, cost: cost.value, stallMs: stall.value, passphrase: passphrase.value });
};

const changeFor = async (
  service: Service,
  args: Arguments,
  { target: to }: Asked,
  id: string,
): Promise<Result<Change, Failure>> => {
  const vms = chosen(currentHost(service.ledger), args);
  if (!vms.ok) return vms;
  const home = homeFor(args, vms.value);
  if (!home.ok) return home;
  const compression = args.text('compress') ?? 'gzip';
  const command = await built('BackupVM', { vms: vms.value, to, compression, ...home.value });
  if (!command.ok) return command;
  return ok({ topic: 'backup-create', command: command.value, show: () => shownBackup(service, id) });
};

/** `backup create -o FILE|- [VM...]`. */
export const createAction: Action = {
  options: {
    ...CHANGING,
    output: 'value',
    exclude: 'list',
    compress: 'value',
    'dom0-home': 'value',
    'passphrase-file': 'value',
    'kdf-cost': 'value',
    'stall-timeout': 'value',
  },
  help: HELP,
  run: async (args) => {
    const wanted = await asked(args);
    if (!wanted.ok) return wanted;
    const id = args.text('id') ?? randomUUID();
    const named: Arguments = { ...args, text: (name) => (name === 'id' ? id : args.text(name)) };
    return interruptible((signal) => {
      const service = openService(args, 'write');
      const opened = service.ok ? ok(withArchiver(service.value, wanted.value, signal)) : service;
      return runChange(opened, named, (one) => changeFor(one, args, wanted.value, id));
    });
  },
};
