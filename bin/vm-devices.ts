import { failure } from '../domain/failure.ts';
import type { VmName } from '../domain/names.ts';
import { err, ok } from '../domain/result.ts';
import { wordsOfDevice } from '../domain/vm/devices.ts';
import { type Arguments, CHANGING, expectWords, usage } from '../infrastructure/cli/arguments.ts';
import { runChange } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { lineWidth, out, outJson } from '../infrastructure/cli/output.ts';
import { table } from '../infrastructure/cli/text.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { built, say } from './changing.ts';
import { openReading, openService } from './compose.ts';

const show = (args: Arguments, name: string | undefined) => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { host, asOf, ledger } = reading.value;
  closeLedger(ledger);
  const vm = host.vms.get(name as VmName);
  if (!vm) return err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: 'domtrail vm list' }));
  const items = Object.entries(vm.devices ?? {}).flatMap(([deviceClass, list]) =>
    list.map((one) => ({ class: deviceClass, ...one, options: Object.fromEntries(one.options) })),
  );
  if (args.flag('json')) outJson('vm-devices', asOf, { items });
  else {
    const rows = items.map((one) => [one.class, wordsOfDevice(one), one.mode, optionsText(one.options)]);
    out(table(['CLASS', 'DEVICE', 'MODE', 'OPTIONS'], rows, lineWidth()));
  }
  return ok(0);
};

const optionsText = (options: Readonly<Record<string, string>>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** `BACKEND:PORT[:IDENTITY]`; `*` for any backend, port or identity. The identity may hold colons. */
const deviceIn = (text: string) => {
  const parts = /^([^:]+):([^:]+)(?::(.+))?$/s.exec(text);
  const [, backend = '', id = '', identity = '*'] = parts ?? [];
  return parts ? { backend: backend === '*' ? null : backend, id, identity } : null;
};

const optionsIn = (args: Arguments) =>
  args.list('option').map((text) => /^([^=]+)=(.*)$/s.exec(text)?.slice(1, 3) ?? null);

/** `vm devices VM [assign|unassign CLASS BACKEND:PORT[:IDENTITY]]` */
export const devicesWith = (help: string): Action => ({
  options: { ...CHANGING, mode: 'value', option: 'list' },
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['NAME', 'assign|unassign', 'CLASS', 'BACKEND:PORT'], 'vm', 3);
    if (!words.ok) return words;
    const [vm, verb, deviceClass, text = ''] = words.value;
    if (verb === undefined) return show(args, vm);
    const device = deviceIn(text);
    const options = optionsIn(args);
    if ((verb !== 'assign' && verb !== 'unassign') || device === null) {
      return err(usage('vm devices takes assign or unassign, CLASS and BACKEND:PORT[:IDENTITY]', 'vm'));
    }
    if (options.includes(null)) return err(usage('--option takes NAME=VALUE', 'vm'));
    const mode = verb === 'assign' ? (args.text('mode') ?? 'required') : null;
    const command = await built('SetDevice', { vm, class: deviceClass, ...device, mode, options });
    if (!command.ok) return command;
    const done = say(`${deviceClass} device ${wordsOfDevice(device)} ${verb}ed`);
    return runChange(openService(args, 'write'), args, () =>
      ok({ topic: 'vm-devices', command: command.value, show: () => done }),
    );
  },
});
