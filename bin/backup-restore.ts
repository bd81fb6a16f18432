import { basename } from 'node:path';
import { formatBytes } from '../domain/bytes.ts';
import { exitOf, type Failure, failure } from '../domain/failure.ts';
import { parseCommandId } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { BackedUpVm } from '../infrastructure/backup/contents.ts';
import { type Arguments, CHANGING, usage } from '../infrastructure/cli/arguments.ts';
import { asOf } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson, talk } from '../infrastructure/cli/output.ts';
import { passphraseFor } from '../infrastructure/cli/passphrase.ts';
import { escapeText, table } from '../infrastructure/cli/text.ts';
import { currentHost } from '../infrastructure/ledger/state.ts';
import { type BackupFile, backupFile } from '../infrastructure/restore/backup-file.ts';
import { feedFrom } from '../infrastructure/restore/feed.ts';
import { readThrough, type Survey } from '../infrastructure/restore/read-through.ts';
import { plannedVms, type Restore, type Restored, restoreVms } from '../infrastructure/restore/restore-vms.ts';
import { lackOfRoom } from '../infrastructure/restore/room.ts';
import { thisActor } from '../infrastructure/service/actor.ts';
import { closeService, type Service } from '../infrastructure/service/service.ts';
import { built } from './changing.ts';
import { openService } from './compose.ts';
import { DOM0, type HomeRestored, type HomeWanted, homeRow, homeWanted, withHome } from './home-restored.ts';
import { wishesOf } from './restore-wishes.ts';

const HELP = `domtrail backup restore: VMs out of a Qubes backup, each as a whole or not at all

  domtrail backup restore FILE --passphrase-file F --plan     what would come, and as what
  domtrail backup restore FILE work --rename work=work-old
  domtrail backup restore FILE --pool big --volume-pool root=fast
  domtrail backup restore FILE dom0 --home-to DIR             dom0's home into a new directory
  domtrail backup restore FILE --strict                       only if nothing is missing in it

The backup is read twice: first to its end, so that every size and hash is known and
proven before anything is changed, then to restore. Volumes are made in the size they
had, filled beside their places and moved there when they are whole. A netvm, kernel or
label that is not here becomes the default, with a warning; a VM whose template is not
here is left out (exit 1). Anything missing in the backup ends in exit 6.
`;

const chosen = (survey: Survey, given: readonly string[]): Result<readonly BackedUpVm[], Failure> => {
  const all = survey.vms.filter((vm) => vm.class !== 'AdminVM');
  if (given.length === 0) return ok(all);
  const names = given.filter((name) => name !== DOM0);
  const unknown = names.find((name) => !all.some((vm) => vm.name === name));
  if (unknown === undefined) return ok(all.filter(({ name }) => names.includes(name)));
  const has = all.map(({ name }) => name).join(', ');
  return err(failure('D_NOT_FOUND', `the backup has no VM ${unknown} (it has ${has})`));
};

const lacks = ({ report }: Survey): readonly string[] => [
  ...report.problems,
  ...report.vms.flatMap((vm) =>
    vm.files.flatMap((file) => (file.ok ? [] : [`${vm.name}: ${file.name}: ${file.problem}`])),
  ),
];

const rowsOf = ({ name, as, volumes, warnings, problem }: Restored): readonly (readonly string[])[] => {
  if (problem !== null) return [[name, '-', '-', '-', `! ${problem}`]];
  const state = warnings.length === 0 ? 'restored' : `restored, ${warnings.length} warnings`;
  if (volumes.length === 0) return [[name, as ?? '', '-', '-', state]];
  return volumes.map((volume, at) => [
    at === 0 ? name : '',
    at === 0 ? (as ?? '') : '',
    `${volume.name} -> ${volume.pool}`,
    formatBytes(volume.size),
    at === 0 ? state : '',
  ]);
};

const exitFor = (restored: readonly Pick<Restored, 'problem'>[], problems: readonly string[]): number => {
  if (problems.length > 0) return exitOf('D_VERIFY');
  return restored.some(({ problem }) => problem !== null) ? 1 : 0;
};

const show = (
  service: Service,
  vms: readonly Restored[],
  { home, problems, json }: { home: HomeRestored | null; problems: readonly string[]; json: boolean },
) => {
  if (json) {
    outJson('backup-restore', asOf(service), { item: { vms, ...(home ? { home } : {}), problems } });
    return;
  }
  const rows = [...vms.flatMap(rowsOf), ...(home ? [homeRow(home)] : [])];
  out(table(['VM', 'AS', 'VOLUME', 'SIZE', 'STATE'], rows, lineWidth()));
  for (const { name, warnings } of vms) for (const one of warnings) talk(`warning: ${escapeText(`${name}: ${one}`)}\n`);
  for (const one of problems) talk(`! ${escapeText(one)}\n`);
};

const showPlan = (service: Service, restore: Restore, json: boolean): number => {
  const planned = plannedVms(currentHost(service.ledger), restore).map(({ vm, plan }) => ({
    name: vm.name,
    as: plan.ok ? plan.value.name : null,
    volumes: plan.ok ? plan.value.volumes : [],
    firewall: plan.ok && plan.value.firewall,
    warnings: plan.ok ? plan.value.warnings : [],
    problem: plan.ok ? null : plan.error,
  }));
  const problems = lacks(restore.survey);
  if (json) outJson('backup-restore-plan', asOf(service), { item: { vms: planned, problems } });
  else {
    const rows = planned.map((vm) => [
      vm.name,
      vm.as ?? '-',
      vm.volumes.map(({ name, size }) => `${name} ${formatBytes(size)}`).join(', ') || '-',
      vm.problem === null ? 'would be restored' : `! ${vm.problem}`,
    ]);
    out(table(['VM', 'AS', 'VOLUMES', 'PLAN'], rows, lineWidth()));
    for (const { name, warnings } of planned)
      for (const one of warnings) talk(`warning: ${escapeText(`${name}: ${one}`)}\n`);
    for (const one of problems) talk(`! ${escapeText(one)}\n`);
  }
  return 2;
};

const onArchive = (path: string): void => {
  if (process.stderr.isTTY) talk(`\r\u001b[Kchecking ${escapeText(path)}`);
};

const idsFrom = (args: Arguments): Result<Restore['idFor'], Failure> => {
  const id = args.text('id');
  if (id === undefined) return ok(() => null);
  const longest = parseCommandId(`${id}.${'x'.repeat(31)}`);
  return longest.ok ? ok((vm) => `${id}.${vm}`) : longest;
};

type Asked = { readonly path: string; readonly names: readonly string[]; readonly passphrase: string };

type Seen = {
  readonly file: BackupFile;
  readonly survey: Survey;
  readonly vms: readonly BackedUpVm[];
  readonly home: HomeWanted | null;
};

/** The backup read to its end, and what of it is wanted. */
const seenIn = async (args: Arguments, { path, passphrase, names }: Asked): Promise<Result<Seen, Failure>> => {
  const file = await backupFile(path, passphrase);
  if (!file.ok) return file;
  const survey = await readThrough(file.value, onArchive);
  if (process.stderr.isTTY) talk('\r\u001b[K');
  if (!survey.ok) return survey;
  const vms = chosen(survey.value, names);
  if (!vms.ok) return vms;
  const home = homeWanted(survey.value, args, names);
  return home.ok ? ok({ file: file.value, survey: survey.value, vms: vms.value, home: home.value }) : home;
};

const restoreFrom = async (service: Service, args: Arguments, asked: Asked): Promise<Result<number, Failure>> => {
  const wishes = wishesOf(args, service);
  if (!wishes.ok) return wishes;
  const idFor = idsFrom(args);
  if (!idFor.ok) return idFor;
  const seen = await seenIn(args, asked);
  if (!seen.ok) return seen;
  const { file, survey, vms, home } = seen.value;
  const problems = lacks(survey);
  if (args.flag('strict') && problems.length > 0) {
    const cause = problems.slice(0, 5).join('; ');
    return err(failure('D_BACKUP_INVALID', 'the backup is not complete, and --strict asks for that', { cause }));
  }
  const feed = feedFrom(file);
  const restore: Restore = {
    survey,
    backup: basename(asked.path).slice(0, 255),
    vms,
    wishes: wishes.value,
    actor: thisActor(process.argv.slice(2)),
    reason: args.text('message') ?? null,
    idFor: idFor.value,
    build: built,
  };
  if (args.flag('plan')) {
    if (home) talk(`dom0's home would be restored into ${escapeText(home.into)}\n`);
    return ok(showPlan(service, restore, args.flag('json')));
  }
  const plans = plannedVms(currentHost(service.ledger), restore).flatMap(({ plan }) => (plan.ok ? [plan.value] : []));
  const lack = await lackOfRoom(currentHost(service.ledger), service.pools, { plans, to: restore.wishes });
  if (lack) return err(lack);
  try {
    const restored = await restoreVms({ ...service, backup: feed.content }, restore);
    const homeThere = await withHome(file, home);
    show(service, restored, { home: homeThere, problems, json: args.flag('json') });
    return ok(exitFor([...restored, ...(homeThere ? [homeThere] : [])], problems));
  } finally {
    feed.close();
  }
};

/** `backup restore FILE [VM...]`. With `--verify-only` the archive is only read, by `verify`. */
export const restoreAction = (verify: Action): Action => ({
  options: {
    ...CHANGING,
    'passphrase-file': 'value',
    rename: 'list',
    pool: 'value',
    'volume-pool': 'list',
    'home-to': 'value',
    strict: 'flag',
    'verify-only': 'flag',
  },
  help: HELP,
  run: async (args) => {
    if (args.flag('verify-only')) return verify.run({ ...args, values: args.values.slice(0, 1) });
    const [path, ...names] = args.values;
    if (path === undefined) return err(usage('backup restore needs FILE', 'backup restore'));
    if (path === '-')
      return err(usage('a backup is read twice: restore needs a file, not standard input', 'backup restore'));
    const passphrase = await passphraseFor(args, 'backup restore');
    if (!passphrase.ok) return passphrase;
    const service = openService(args, 'write');
    if (!service.ok) return service;
    try {
      return await restoreFrom(service.value, args, { path, names, passphrase: passphrase.value });
    } finally {
      closeService(service.value);
    }
  },
});
