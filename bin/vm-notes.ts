import { isUtf8 } from 'node:buffer';
import { type Failure, failure } from '../domain/failure.ts';
import type { VmName } from '../domain/names.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { MOST_NOTES } from '../domain/vm/notes.ts';
import { type Arguments, CHANGING, expectWords } from '../infrastructure/cli/arguments.ts';
import { runChange } from '../infrastructure/cli/change.ts';
import type { Action } from '../infrastructure/cli/dispatch.ts';
import { readInput } from '../infrastructure/cli/input-file.ts';
import { out, outJson } from '../infrastructure/cli/output.ts';
import { escapeText } from '../infrastructure/cli/text.ts';
import { closeLedger } from '../infrastructure/ledger/ledger.ts';
import { built, say } from './changing.ts';
import { openReading, openService } from './compose.ts';

const show = (args: Arguments, name: string): Result<number, Failure> => {
  const reading = openReading(args);
  if (!reading.ok) return reading;
  const { host, ledger, asOf } = reading.value;
  closeLedger(ledger);
  const vm = host.vms.get(name as VmName);
  if (!vm) return err(failure('D_NOT_FOUND', `there is no VM ${name}`, { next: 'domtrail vm list' }));
  const { notes = '' } = vm;
  if (args.flag('json')) outJson('vm-notes', asOf, { item: { vm: name, notes } });
  else if (notes !== '') out(`${notes.replace(/\n$/, '').split('\n').map(escapeText).join('\n')}\n`);
  return ok(0);
};

const fromFile = (file: string): Result<string, Failure> => {
  const read = readInput(file, MOST_NOTES);
  if (!read.ok) return read;
  return isUtf8(read.value) ? ok(read.value.toString('utf8')) : err(failure('D_BAD_INPUT', `${file} is no UTF-8`));
};

/** What to write; null: only to be shown. */
const wanted = (args: Arguments, text: string | undefined): Result<string | null, Failure> => {
  const file = args.text('file');
  return file === undefined ? ok(text ?? null) : fromFile(file);
};

/** `vm notes NAME [TEXT]`: shows them, or sets them; an empty text takes them away. */
export const notesWith = (help: string): Action => ({
  options: { ...CHANGING, file: 'value' },
  help,
  run: async (args) => {
    const words = expectWords(args.values, ['NAME', 'TEXT'], 'vm', 1);
    if (!words.ok) return words;
    const [name = '', given] = words.value;
    const text = wanted(args, given);
    if (!text.ok) return text;
    if (text.value === null) return show(args, name);
    const command = await built('SetNotes', { vm: name, text: text.value });
    if (!command.ok) return command;
    const shown = say(text.value === '' ? `${name} has no notes` : `notes of ${name} kept`);
    return runChange(openService(args, 'write'), args, () =>
      ok({ topic: 'vm-notes', command: command.value, show: () => shown }),
    );
  },
});
