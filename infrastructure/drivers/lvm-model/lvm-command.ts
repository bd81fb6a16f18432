import type { RunOptions } from '../../process/run.ts';
import type { Run } from '../lvm-thin/work.ts';
import { type Arguments, parseArguments } from './arguments.ts';
import { dd } from './dd.ts';
import { blkdiscard, dmsetup } from './device-commands.ts';
import { lvchange, lvextend, lvremove, lvrename, lvresize } from './lvalter.ts';
import { lvcreate } from './lvcreate.ts';
import { lvs, vgs } from './lvs.ts';
import type { LvmModel } from './model.ts';
import { rejected, type Said } from './said.ts';
import { thinDump } from './thin-dump.ts';
import { pvck, vgchange } from './volume-group.ts';

type Command = (model: LvmModel, given: Arguments, argv: readonly string[]) => Said;

const COMMANDS: Readonly<Record<string, Command>> = {
  lvchange,
  lvcreate,
  lvextend,
  lvremove,
  lvrename,
  lvresize,
  lvs,
  vgs,
};

/** What `lvm WORDS...` answers, with the exit codes and words that were recorded of lvm2 2.03.16 (spec: lvm). */
export const lvmCommand = (model: LvmModel, words: readonly string[]): Said => {
  const [name = '', ...args] = words;
  if (name === 'pvck') return pvck(model, args);
  if (name === 'vgchange') return vgchange(model, args);
  const command = COMMANDS[name];
  if (!command) return rejected(`Unknown command '${name}'`);
  const given = parseArguments(args);
  return given.ok ? command(model, given.value, words) : given.error;
};

const answer = (model: LvmModel, [program = '', ...args]: readonly string[], options: RunOptions): Said => {
  switch (program) {
    case 'sudo':
      return answer(model, args, options);
    case 'lvm':
      return lvmCommand(model, args);
    case 'dmsetup':
      return dmsetup(model, args);
    case 'blkdiscard':
      return blkdiscard(model, args);
    case 'dd':
      return dd(model, args, options);
    case 'thin_dump':
      return thinDump(model, args);
    default:
      return { exitCode: 127, stdout: '', stderr: `${program}: command not found\n` };
  }
};

/** A watched program's lines end at a return too, and those that were for the watcher are not kept. */
const unwatched = (stderr: string, watch: (line: string) => boolean): string =>
  stderr
    .split(/[\r\n]/)
    .filter((line) => line !== '' && !watch(line))
    .map((line) => `${line}\n`)
    .join('');

/** Runs programs on a model instead of a machine: for the `lvm_thin` driver's `settings.run`. */
export const runOnModel =
  (model: LvmModel): Run =>
  async (argv, options = {}) => {
    const fed: Buffer[] = [];
    for await (const piece of options.feed ?? []) fed.push(piece);
    const input = fed.length === 0 ? {} : { input: Buffer.concat(fed).toString('latin1') };
    const { exitCode, stdout, stderr: said } = answer(model, argv, { ...options, ...input });
    const stderr = options.watch ? unwatched(said, options.watch) : said;
    return { evidence: { argv: [[...argv]], exitCode, stderr, durationMs: 0 }, stdout };
  };
