import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseBytes } from '../../domain/bytes.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { parseVmName, parseVolumeKey } from '../../domain/names.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { type Arguments, usage } from '../../infrastructure/cli/arguments.ts';
import { type Action, runGroup } from '../../infrastructure/cli/dispatch.ts';
import { stampText } from '../../infrastructure/drivers/stamp.ts';
import { built, changingIn, say } from '../changing.ts';
import { volumeReading } from '../volume-reading.ts';

const HELP = `domtrail volume: the disks of the machines

  domtrail volume list [VM]
  domtrail volume info work:private
  domtrail volume commit work:private         keeps what a crash left
  domtrail volume discard work:private        throws away what a crash left
  domtrail volume revert work:private [REV]   the replaced state is kept
  domtrail volume resize work:private 4G      (--shrink to make it smaller)
  domtrail volume import work:private FILE|-
  domtrail volume export work:private [-o FILE]
  domtrail volume clone work:private other:private
  domtrail volume set work:private revisions_to_keep=3   (also rw=, ephemeral=)
  domtrail volume add work data --size 1G --save-on-stop [--ro]
  domtrail volume add work tools --snap-on-start --source debian-12:tools
  domtrail volume remove work:data            asks first (--yes)
  domtrail volume pin work:private REV        (unpin)

Every change takes --plan, -m REASON, --id KEY, --json, --wait SECONDS.
`;

const changing = changingIn('volume', HELP);

type Target = { readonly vm: string; readonly volume: string };

const target = (text: string | undefined): Result<Target, Failure> => {
  const parsed = parseVolumeKey(text ?? '');
  return parsed.ok ? ok({ vm: parsed.value.vm, volume: parsed.value.volume }) : parsed;
};

/** A command about one volume: the first word names it, the rest comes from `more`. */
const about = (
  name: Parameters<typeof built>[0],
  more: (args: Arguments, words: readonly string[]) => Result<object, Failure> = () => ok({}),
): Parameters<typeof changing>[0]['build'] => {
  return (args, words) => {
    const key = target(words[0]);
    if (!key.ok) return key;
    const rest = more(args, words);
    return rest.ok ? built(name, { ...key.value, ...rest.value }) : rest;
  };
};

const sourceFile = (path: string): Result<object, Failure> => {
  if (path === '-') return ok({ from: { kind: 'stdin' } });
  const full = resolve(path);
  try {
    const stats = statSync(full, { bigint: true });
    if (!stats.isFile()) return err(failure('D_BAD_INPUT', `${path} is not a file`));
    return ok({ from: { kind: 'file', path: full, bytes: Number(stats.size), stamp: stampText(stats) } });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return err(failure('D_NOT_FOUND', `${path} cannot be read`, { cause }));
  }
};

const settings: Readonly<Record<string, (text: string) => object | null>> = {
  revisions_to_keep: (text) => (/^-?[0-9]{1,4}$/.test(text) ? { revisionsToKeep: Number(text) } : null),
  rw: (text) => (/^(true|false)$/i.test(text) ? { rw: text.toLowerCase() === 'true' } : null),
  ephemeral: (text) =>
    /^(true|false|default)$/i.test(text)
      ? { ephemeral: text.toLowerCase() === 'default' ? null : text.toLowerCase() === 'true' }
      : null,
};

const change = (text: string | undefined): Result<object, Failure> => {
  const [name = '', value = ''] = (text ?? '').split('=', 2);
  const parse = Object.hasOwn(settings, name) ? settings[name] : undefined;
  if (!parse) return err(usage(`volume set takes ${Object.keys(settings).join('=, ')}=`, 'volume'));
  const parsed = parse(value);
  return parsed
    ? ok({ change: parsed })
    : err(failure('D_BAD_INPUT', `${JSON.stringify(value)} is no value of ${name}`));
};

const addition = async (args: Arguments, [vm, volume]: readonly string[]): ReturnType<typeof built> => {
  const from = args.text('source');
  const source = from === undefined ? ok(null) : target(from);
  if (!source.ok) return source;
  const size = args.text('size');
  if (size === undefined && from === undefined) return err(usage('--size is missing', 'volume'));
  const bytes = size === undefined ? ok(1) : parseBytes(size);
  if (!bytes.ok) return bytes;
  const keep = args.text('revisions-to-keep');
  return built('AddVolume', {
    vm,
    volume,
    bytes: bytes.value,
    rw: !args.flag('ro'),
    snapOnStart: args.flag('snap-on-start'),
    saveOnStop: args.flag('save-on-stop'),
    source: source.value,
    pool: args.text('pool') ?? null,
    revisionsToKeep: keep === undefined ? null : Number(keep),
  });
};

const { list, info } = volumeReading(HELP);

const NAMED = ['VM:VOLUME'];
const key = (words: readonly string[]): string => words[0] ?? '';

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  info,
  commit: changing({
    topic: 'volume-commit',
    words: NAMED,
    build: about('CommitVolume'),
    show: (_s, words) => say(`${key(words)} is committed`),
  }),
  discard: changing({
    topic: 'volume-discard',
    words: NAMED,
    build: about('DiscardVolume'),
    show: (_s, words) => say(`the session of ${key(words)} is discarded`),
  }),
  revert: changing({
    topic: 'volume-revert',
    words: [...NAMED, '[REV]'],
    build: about('RevertVolume', (_a, [, revision]) => ok({ revision: revision ?? null })),
    show: (_s, words) => say(`${key(words)} is reverted`),
  }),
  resize: changing({
    topic: 'volume-resize',
    words: [...NAMED, 'SIZE'],
    build: about('ResizeVolume', (args, [, size]) => {
      const bytes = parseBytes(size ?? '');
      return bytes.ok ? ok({ bytes: bytes.value, shrink: args.flag('shrink') }) : bytes;
    }),
    show: (_s, words) => say(`${key(words)} has ${words[1]}`),
    options: { shrink: 'flag' },
  }),
  import: changing({
    topic: 'volume-import',
    words: [...NAMED, 'FILE|-'],
    build: about('ImportVolume', (_a, [, path]) => sourceFile(path ?? '')),
    show: (_s, words) => say(`${key(words)} holds ${words[1] === '-' ? 'what came in' : words[1]}`),
  }),
  export: changing({
    topic: 'volume-export',
    words: NAMED,
    build: about('ExportVolume', (args) => {
      const path = args.text('output');
      return ok({
        to: path === undefined || path === '-' ? { kind: 'stdout' } : { kind: 'file', path: resolve(path) },
      });
    }),
    show: () => ({ text: '', fields: {} }),
    options: { output: 'value' },
  }),
  clone: changing({
    topic: 'volume-clone',
    words: ['SRC', 'DST'],
    build: (_args, [from, to]) => {
      const source = target(from);
      if (!source.ok) return source;
      const onto = target(to);
      return onto.ok ? built('CloneVolume', { source: source.value, target: onto.value }) : onto;
    },
    show: (_s, [from, to]) => say(`${to} holds the committed state of ${from}`),
  }),
  set: changing({
    topic: 'volume-set',
    words: [...NAMED, 'NAME=VALUE'],
    build: about('SetVolume', (_a, [, text]) => change(text)),
    show: (_s, words) => say(`${key(words)}: ${words[1]}`),
  }),
  add: changing({
    topic: 'volume-add',
    words: ['VM', 'NAME'],
    build: (args, words) => {
      const vm = parseVmName(words[0] ?? '');
      return vm.ok ? addition(args, words) : vm;
    },
    show: (_s, [vm, name]) => say(`${vm}:${name} added`),
    options: {
      size: 'value',
      'snap-on-start': 'flag',
      'save-on-stop': 'flag',
      source: 'value',
      ro: 'flag',
      pool: 'value',
      'revisions-to-keep': 'value',
    },
  }),
  remove: changing({
    topic: 'volume-remove',
    words: NAMED,
    build: about('RemoveVolume'),
    show: (_s, words) => say(`${key(words)} is removed`),
    question: (words) => `This removes ${key(words)} with all its revisions`,
  }),
  pin: changing({
    topic: 'volume-pin',
    words: [...NAMED, 'REV'],
    build: about('PinRevision', (_a, [, revision]) => ok({ revision })),
    show: (_s, words) => say(`revision ${words[1]} of ${key(words)} is pinned`),
  }),
  unpin: changing({
    topic: 'volume-unpin',
    words: [...NAMED, 'REV'],
    build: about('UnpinRevision', (_a, [, revision]) => ok({ revision })),
    show: (_s, words) => say(`revision ${words[1]} of ${key(words)} is no longer pinned`),
  }),
};

export const main = (argv: readonly string[]): Promise<number> => runGroup('volume', ACTIONS, HELP, argv);
