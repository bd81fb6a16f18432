import { lvmCommand } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import type { Said } from '../../../infrastructure/drivers/lvm-model/said.ts';

/** Splits a command line at blanks; what is in single quotes stays together. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

export const lvm = (model: LvmModel, line: string): Said => lvmCommand(model, wordsOf(line));

/** `vm-a-private` of 64 MiB with a snapshot, `vm-b` of 28 MiB: what the recorded sessions had around. */
export const usual = (): LvmModel => {
  const model = createLvmModel();
  model.create('vm-a-private', 64 * 2 ** 20);
  model.create('vm-b', 28 * 2 ** 20);
  return model;
};

/** What a command says, line by line, without LVM's two blanks in front. */
const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^ {2}/, ''));

/** One row of the recorded tables: what it is, the command line, exit code, then `O ` and `E ` lines. */
export type Row = readonly [what: string, line: string, exitCode: number, ...said: readonly string[]];

/** Rows as vitest's `test.each` takes them, with `$what` for the title. */
export const cases = (rows: readonly Row[]) =>
  rows.map(([what, line, exitCode, ...said]) => ({ what, line, exitCode, said }));

export const spoken = ({ stdout, stderr }: Said): readonly string[] => [
  ...linesOf(stdout).map((line) => `O ${line}`),
  ...linesOf(stderr).map((line) => `E ${line}`),
];
