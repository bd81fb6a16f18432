import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { RunOptions } from '../../process/run.ts';
import { type Block, CHUNK, type Chunks, readText } from './content.ts';
import { deviceNamed } from './device-commands.ts';
import type { LvmModel } from './model.ts';
import { KILLED, type Said } from './said.ts';
import { EXTENT } from './state.ts';

const quiet = (stdout = ''): Said => ({ exitCode: 0, stdout, stderr: '' });
const broken = (text: string): Said => ({ exitCode: 1, stdout: '', stderr: `dd: ${text}\n` });

/** What is read: pieces by chunk number, zeros left out, and where it ends. */
type Input = { readonly chunks: Chunks; readonly bytes: number };

const ONLY_ZEROS = /^\0*$/;

/** As many bytes as there are, up to `most`; a pipe gives fewer at a time than it is asked for. */
const fullRead = (fd: number, most: number): Buffer => {
  const buffer = Buffer.alloc(most);
  let length = 0;
  while (length < most) {
    const count = readSync(fd, buffer, length, most - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
};

const readAll = (fd: number, limit: number): Input => {
  const chunks = new Map<number, Block>();
  let bytes = 0;
  for (let index = 0; bytes < limit; index++) {
    const text = fullRead(fd, Math.min(CHUNK, limit - bytes)).toString('latin1');
    if (text === '') break;
    if (!ONLY_ZEROS.test(text)) chunks.set(index, { id: 0, text });
    bytes += text.length;
  }
  return { chunks, bytes };
};

const fromFile = (path: string): Input | null => {
  try {
    const fd = openSync(path, 'r');
    try {
      return readAll(fd, Number.POSITIVE_INFINITY);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
};

type Operands = ReadonlyMap<string, string>;

const operandsOf = (args: readonly string[]): Operands =>
  new Map(args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]));

const limitOf = (operands: Operands): number => {
  const count = operands.get('count');
  const unit = operands.get('iflag')?.includes('count_bytes') || operands.get('bs') === '1';
  if (count === undefined) return Number.POSITIVE_INFINITY;
  if (!unit) throw new Error('the model counts only bytes');
  return Number(count);
};

const fromText = (input: string): Input => {
  const chunks = new Map<number, Block>();
  for (let index = 0; index * CHUNK < input.length; index++) {
    const text = input.slice(index * CHUNK, (index + 1) * CHUNK);
    if (!ONLY_ZEROS.test(text)) chunks.set(index, { id: 0, text });
  }
  return { chunks, bytes: input.length };
};

const inputOf = (model: LvmModel, operands: Operands, { stdin, input }: RunOptions): Input | null => {
  const path = operands.get('if');
  if (path === undefined && input !== undefined) return fromText(input.slice(0, limitOf(operands)));
  if (path === undefined)
    return stdin === undefined ? { chunks: new Map(), bytes: 0 } : readAll(stdin, limitOf(operands));
  const lv = deviceNamed(model, path);
  return lv ? { chunks: model.contentOf(lv.name), bytes: lv.extents * EXTENT } : fromFile(path);
};

/** A sparse write leaves alone what lies where the input has zeros, in blocks of `bs` (two chunks). */
const mergedInto = (old: Chunks, { chunks }: Input): Chunks => {
  const merged = new Map(old);
  for (const index of chunks.keys()) {
    for (const one of [index - (index % 2), index - (index % 2) + 1]) merged.delete(one);
  }
  for (const [index, block] of chunks) merged.set(index, block);
  return merged;
};

const toDevice = (model: LvmModel, device: string, input: Input): Said => {
  const lv = deviceNamed(model, device);
  if (!lv) return broken(`failed to open '${device}': No such file or directory`);
  if (input.bytes > lv.extents * EXTENT) return broken(`error writing '${device}': No space left on device`);
  const outcome = model.fill(lv.name, mergedInto(model.contentOf(lv.name), input));
  if (outcome.ok) return quiet();
  const { is } = outcome.error;
  if (is === 'killed') return KILLED;
  const full = is === 'full' || is === 'metadata-low';
  return broken(
    full ? `error writing '${device}': No space left on device` : `fsync failed for '${device}': Input/output error`,
  );
};

const toFile = (path: string, { chunks, bytes }: Input): Said => {
  try {
    const fd = openSync(path, 'r+');
    try {
      for (const [index, { text }] of chunks) {
        const whole = text.slice(0, Math.max(0, bytes - index * CHUNK));
        writeSync(fd, Buffer.from(whole, 'latin1'), 0, whole.length, index * CHUNK);
      }
      return quiet();
    } finally {
      closeSync(fd);
    }
  } catch {
    return broken(`failed to open '${path}': No such file or directory`);
  }
};

const toStdout = ({ chunks, bytes }: Input, { stdout }: RunOptions): Said => {
  const text = readText(chunks, 0, bytes);
  if (stdout === undefined) return quiet(text);
  writeSync(stdout, Buffer.from(text, 'latin1'));
  return quiet();
};

const copiedLine = (bytes: number, seconds: number): string =>
  `${bytes} bytes (${(bytes / 1e6).toFixed(1)} MB, ${(bytes / 2 ** 20).toFixed(1)} MiB) copied, ${seconds} s, 1.0 MB/s`;

/** What `status=progress` adds: a line for each second, as if half of it had taken one, and the figures at the end. */
const figures = (operands: Operands, { bytes }: Input): string => {
  if (operands.get('status') !== 'progress') return '';
  const records = Math.ceil(bytes / (2 * CHUNK));
  const end = `${records}+0 records in\n${records}+0 records out\n${copiedLine(bytes, 2)}\n`;
  return `\r${copiedLine(Math.floor(bytes / 2), 1)}\r${copiedLine(bytes, 2)}\n${end}`;
};

/** `dd` between the model's devices, real files and real descriptors, always with `conv=sparse,nocreat`. */
export const dd = (model: LvmModel, args: readonly string[], options: RunOptions): Said => {
  const operands = operandsOf(args);
  const input = inputOf(model, operands, options);
  if (!input) return broken(`failed to open '${operands.get('if')}': No such file or directory`);
  const output = operands.get('of');
  const copied = (): Said => {
    if (output === undefined) return toStdout(input, options);
    return output.startsWith('/dev/') ? toDevice(model, output, input) : toFile(output, input);
  };
  const { exitCode, stdout, stderr } = copied();
  return { exitCode, stdout, stderr: exitCode === null ? stderr : `${figures(operands, input)}${stderr}` };
};
