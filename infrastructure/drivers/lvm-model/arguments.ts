import { err, ok, type Result } from '../../../domain/result.ts';
import { rejected, type Said } from './said.ts';

/** Options by their long names, with the values in the order given; `words` are the names at the end. */
export type Arguments = { readonly options: ReadonlyMap<string, readonly string[]>; readonly words: readonly string[] };

const WITH_VALUE = new Set([
  'activate',
  'addtag',
  'config',
  'deltag',
  'name',
  'options',
  'reportformat',
  'select',
  'setactivationskip',
  'size',
  'thinpool',
  'type',
  'units',
  'virtualsize',
]);

const FLAGS = new Set(['force', 'ignoreactivationskip', 'noheadings', 'nosuffix', 'snapshot', 'thin', 'yes']);

const SHORT: Readonly<Record<string, string>> = {
  K: 'ignoreactivationskip',
  L: 'size',
  S: 'select',
  T: 'thin',
  V: 'virtualsize',
  a: 'activate',
  f: 'force',
  k: 'setactivationskip',
  n: 'name',
  o: 'options',
  s: 'snapshot',
  y: 'yes',
};

type Option = { readonly name: string; readonly value: string | undefined };

const optionOf = (arg: string): Option | null => {
  const long = /^--([a-z]+)(?:=(.*))?$/s.exec(arg);
  if (long) return { name: long[1] ?? '', value: long[2] };
  const short = SHORT[arg[1] ?? ''];
  if (!arg.startsWith('-') || short === undefined) return null;
  return { name: short, value: arg.length > 2 ? arg.slice(2) : undefined };
};

const refuse = (text: string): Result<never, Said> => err(rejected(text, 'Error during parsing of command line.'));

/** An option and how many of the arguments it took. */
const takeOption = (args: readonly string[], at: number): Result<Option & { readonly taken: number }, Said> => {
  const arg = args[at] ?? '';
  const option = optionOf(arg);
  if (option && FLAGS.has(option.name)) return ok({ ...option, taken: 1 });
  if (!option || !WITH_VALUE.has(option.name)) return refuse(`unrecognized option '${arg}'`);
  if (option.value !== undefined) return ok({ ...option, taken: 1 });
  const value = args[at + 1];
  return value === undefined
    ? refuse(`option '${arg}' requires an argument`)
    : ok({ name: option.name, value, taken: 2 });
};

/** Reads a command line as LVM does; `--` ends the options. */
export const parseArguments = (args: readonly string[]): Result<Arguments, Said> => {
  const options = new Map<string, string[]>();
  const end = args.indexOf('--');
  const words: string[] = end < 0 ? [] : args.slice(end + 1);
  for (let at = 0; at < (end < 0 ? args.length : end); ) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('-')) {
      words.push(arg);
      at++;
      continue;
    }
    const option = takeOption(args, at);
    if (!option.ok) return option;
    const { name, value = '', taken } = option.value;
    options.set(name, [...(options.get(name) ?? []), value]);
    at += taken;
  }
  return ok({ options, words });
};

export const lastOf = ({ options }: Arguments, name: string): string | undefined => options.get(name)?.at(-1);

const UNIT: Readonly<Record<string, number>> = { b: 1, s: 512, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes of a size option; without a unit LVM means MiB. */
export const sizeOf = (option: string, text: string): Result<number, Said> => {
  const [, digits, unit = 'm'] = /^(\d+)([bskmgt])?$/i.exec(text) ?? [];
  const invalid = [`Invalid argument for --${option}: ${text}`, 'Error during parsing of command line.'];
  if (digits === undefined) return err(rejected(...invalid));
  const bytes = Number(digits) * (UNIT[unit.toLowerCase()] ?? 1);
  if (bytes % 512 === 0) return ok(bytes);
  const below = bytes - (bytes % 512);
  return err(rejected(`Size is not a multiple of 512. Try using ${below} or ${below + 512}.`, ...invalid));
};

/** `VG/LV`, `/dev/VG/LV` or `VG`. */
export const splitName = (word: string): { readonly group: string; readonly lv: string | null } => {
  const plain = word.startsWith('/dev/') ? word.slice('/dev/'.length) : word;
  const slash = plain.indexOf('/');
  return slash < 0 ? { group: plain, lv: null } : { group: plain.slice(0, slash), lv: plain.slice(slash + 1) };
};

const TAG = /^[A-Za-z0-9_+.\-/=!:#&]{1,1024}$/;

/** The tags of an option, or LVM's answer to one it does not take. */
export const tagsOf = (given: Arguments, option: string): Result<readonly string[], Said> => {
  const tags = given.options.get(option) ?? [];
  const bad = tags.find((tag) => !TAG.test(tag));
  if (bad === undefined) return ok(tags);
  return err(rejected(`Invalid argument for --${option}: ${bad}`, 'Error during parsing of command line.'));
};

/** The line that LVM's archive keeps: arguments with blanks in single quotes. */
export const commandLine = (argv: readonly string[]): string =>
  `Created *before* executing '${argv.map((arg) => (/\s/.test(arg) ? `'${arg}'` : arg)).join(' ')}'`;
