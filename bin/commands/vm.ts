import type { Failure } from '../../domain/failure.ts';
import type { VmName } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../../infrastructure/cli/arguments.ts';
import { runChange, type Shown } from '../../infrastructure/cli/change.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../../infrastructure/cli/output.ts';
import { escapeText, table } from '../../infrastructure/cli/text.ts';
import { runtimePath, sortedVms, vmItem } from '../../infrastructure/cli/views.ts';
import { closeLedger } from '../../infrastructure/ledger/ledger.ts';
import { currentHost } from '../../infrastructure/ledger/state.ts';
import type { Service } from '../../infrastructure/service/service.ts';
import { built, changingIn, say } from '../changing.ts';
import { driverFor, openReading, openService } from '../compose.ts';
import { devicesWith } from '../vm-devices.ts';
import { notesWith } from '../vm-notes.ts';

const HELP = `domtrail vm: the machines

  domtrail vm create debian-12 --class TemplateVM
  domtrail vm create work --class AppVM --template debian-12 --label blue
  domtrail vm start work              prints the path of each disk
  domtrail vm stop work               commits what is kept (--discard: nothing)
  domtrail vm kill work               stops at once, keeps like stop
  domtrail vm clone work work2
  domtrail vm remove work2            asks first (--yes)
  domtrail vm list
  domtrail vm prefs work [NAME [VALUE]]      (--default: back to the default)
  domtrail vm features work [NAME [VALUE]]   (--unset)
  domtrail vm tags work [add|del TAG]
  domtrail vm notes work [TEXT]              (-f FILE, - for standard input; '': none)
  domtrail vm devices work [assign|unassign CLASS BACKEND:PORT[:IDENTITY]]
      assign takes --mode required|auto-attach|ask-to-attach, --option NAME=VALUE

Every change takes --plan (show the steps, change nothing), -m REASON,
--id KEY (the same key twice is done once), --json, --wait SECONDS.
`;

/** The disks a VM got, as another tool needs them to run it. */
const disks = (service: Service, name: string): Shown => {
  const host = currentHost(service.ledger);
  const vm = host.vms.get(name as VmName);
  const paths = (vm ? volumesOf(vm) : []).flatMap((volume) => {
    const pool = host.pools.get(volume.spec.pool);
    const path = pool ? runtimePath(volume, driverFor(pool)) : null;
    return path ? [{ name: volume.spec.name, path, rw: volume.spec.rw }] : [];
  });
  const text = paths.map(({ name: volume, path }) => `${volume}  ${escapeText(path)}`).join('\n');
  return { text: `${name} is running\n${text}\n`, fields: { vm: name, volumes: paths } };
};

const changing = changingIn('vm', HELP);

const poolsFrom = (list: readonly string[]): Result<Readonly<Record<string, string>>, Failure> => {
  const pools: Record<string, string> = {};
  for (const one of list) {
    const match = /^([^=]+)=(.+)$/.exec(one);
    if (!match?.[1] || !match[2]) return err(usage('--volume-pool takes VOLUME=POOL', 'vm'));
    pools[match[1]] = match[2];
  }
  return ok(pools);
};

const create = changing({
  topic: 'vm-create',
  words: ['NAME'],
  build: (args, [name]) => {
    const pools = poolsFrom(args.list('volume-pool'));
    if (!pools.ok) return pools;
    const text = (option: string) => args.text(option) ?? null;
    const vmClass = args.text('class');
    if (vmClass === undefined) return err(usage('--class is missing: AppVM, TemplateVM, StandaloneVM or DispVM', 'vm'));
    return built('CreateVM', {
      name,
      class: vmClass,
      template: text('template'),
      label: text('label'),
      pool: text('pool'),
      pools: pools.value,
    });
  },
  show: (_service, [name]) => say(`${name} created`),
  options: { class: 'value', template: 'value', label: 'value', pool: 'value', 'volume-pool': 'list' },
});

const list: Action = {
  options: {},
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, [], 'vm');
    if (!words.ok) return words;
    const reading = openReading(args);
    if (!reading.ok) return reading;
    const { host, asOf, ledger } = reading.value;
    const items = sortedVms(host).map(vmItem);
    if (args.flag('json')) outJson('vm-list', asOf, { items });
    else
      out(
        table(
          ['NAME', 'CLASS', 'STATE', 'TEMPLATE', 'LABEL'],
          items.map((vm) => [vm.name, vm.class, vm.state, vm.template ?? '-', vm.label ?? '-']),
          lineWidth(),
        ),
      );
    closeLedger(ledger);
    return ok(0);
  },
};

type Entries = {
  readonly topic: string;
  readonly from: 'properties' | 'features';
  readonly command: 'SetProperty' | 'SetFeature';
  readonly unset: string;
};

const showEntries = async (args: Arguments, { topic, from }: Entries): Promise<Result<number, Failure>> => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { host, asOf, ledger } = reading.value;
  const [name, key] = args.values;
  const vm = host.vms.get(name as VmName);
  closeLedger(ledger);
  if (!vm) return err({ code: 'D_NOT_FOUND', message: `there is no VM ${name}`, next: 'domtrail vm list' });
  const all = vm[from];
  if (key !== undefined && !Object.hasOwn(all, key))
    return err({ code: 'D_NOT_FOUND', message: `${key} is not set on ${name}` });
  const shown = key === undefined ? all : { [key]: all[key] ?? '' };
  if (args.flag('json')) outJson(topic, asOf, { item: shown });
  else if (key !== undefined) out(`${escapeText(all[key] ?? '')}\n`);
  else
    out(
      table(
        ['NAME', 'VALUE'],
        Object.entries(all).map(([entry, value]) => [entry, value]),
        lineWidth(),
      ),
    );
  return ok(0);
};

const entries = (kind: Entries): Action => ({
  options: { ...CHANGING, [kind.unset]: 'flag' },
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['NAME', 'KEY', 'VALUE'], 'vm', 2);
    if (!words.ok) return words;
    const [name, key, value] = words.value;
    if (value === undefined && !args.flag(kind.unset)) return showEntries(args, kind);
    const command = await built(kind.command, { vm: name, name: key, value: value ?? null });
    if (!command.ok) return command;
    const shown = say(value === undefined ? `${key} of ${name} is unset` : `${key} of ${name} is ${escapeText(value)}`);
    return runChange(openService(args, 'write'), args, () =>
      ok({ topic: kind.topic, command: command.value, show: () => shown }),
    );
  },
});

const tags: Action = {
  options: CHANGING,
  help: HELP,
  run: async (args) => {
    const words = expectWords(args.values, ['NAME', 'add|del', 'TAG'], 'vm', 2);
    if (!words.ok) return words;
    const [name, verb, tag] = words.value;
    if (verb === undefined) {
      const reading = openReading(args);
      if (!reading.ok) return reading;
      const vm = reading.value.host.vms.get(name as VmName);
      closeLedger(reading.value.ledger);
      if (!vm) return err({ code: 'D_NOT_FOUND', message: `there is no VM ${name}`, next: 'domtrail vm list' });
      if (args.flag('json')) outJson('vm-tags', reading.value.asOf, { items: vm.tags });
      else out(vm.tags.map((one) => `${escapeText(one)}\n`).join(''));
      return ok(0);
    }
    if ((verb !== 'add' && verb !== 'del') || tag === undefined)
      return err(usage('vm tags takes add TAG or del TAG', 'vm'));
    const command = await built('SetTag', { vm: name, name: tag, present: verb === 'add' });
    if (!command.ok) return command;
    return runChange(openService(args, 'write'), args, () =>
      ok({
        topic: 'vm-tags',
        command: command.value,
        show: () => say(`tag ${tag} ${verb === 'add' ? 'added to' : 'taken from'} ${name}`),
      }),
    );
  },
};

const ACTIONS: Readonly<Record<string, Action>> = {
  create,
  start: changing({
    topic: 'vm-start',
    words: ['NAME'],
    build: (_args, [name]) => built('StartVM', { name }),
    show: (service, [name]) => disks(service, name ?? ''),
  }),
  stop: changing({
    topic: 'vm-stop',
    words: ['NAME'],
    build: (args, [name]) => built('StopVM', { name, discard: args.flag('discard') }),
    show: (_service, [name]) => say(`${name} is halted`),
    options: { discard: 'flag' },
  }),
  kill: changing({
    topic: 'vm-kill',
    words: ['NAME'],
    build: (_args, [name]) => built('KillVM', { name }),
    show: (_service, [name]) => say(`${name} is halted`),
  }),
  remove: changing({
    topic: 'vm-remove',
    words: ['NAME'],
    build: (_args, [name]) => built('RemoveVM', { name }),
    show: (_service, [name]) => say(`${name} is removed; until gc erases its disks, domtrail undo brings it back`),
    question: ([name]) => `This removes ${name} and all its volumes`,
  }),
  clone: changing({
    topic: 'vm-clone',
    words: ['SRC', 'DST'],
    build: (args, [source, name]) => built('CloneVM', { source, name, pool: args.text('pool') ?? null }),
    show: (_service, [source, name]) => say(`${source} cloned to ${name}`),
    options: { pool: 'value' },
  }),
  list,
  prefs: entries({ topic: 'vm-prefs', from: 'properties', command: 'SetProperty', unset: 'default' }),
  features: entries({ topic: 'vm-features', from: 'features', command: 'SetFeature', unset: 'unset' }),
  tags,
  notes: notesWith(HELP),
  devices: devicesWith(HELP),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('vm', ACTIONS, HELP, argv);
