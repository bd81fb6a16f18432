import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENT } from '../../process/run.ts';
import type { Argv } from './argv.ts';
import type { Run } from './work.ts';

/** What was printed for one line. `exitCode` as the command's own process would have ended; null: it was killed. */
type Answer = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string };

/** One lvm process that carries out a line at a time, in order. It ends by itself at the first line that fails. */
export type Script = {
  readonly ask: (line: string) => Promise<Answer>;
  readonly alive: () => boolean;
  /** Lets it end once it has done what it was asked for; nothing is killed. */
  readonly end: () => void;
};

/** Cheap (it reads no device), and what it prints is known, so that it can tell where the output of a line ends. */
const MARK = 'version';
const MARKED = /^ {2}LVM version: .*\n/m;
const OF_MARK = /^ {2}(?:LVM version|Library version|Driver version|Configuration): .*\n/gm;

/** A report of 100,000 LVs has a third of this. */
const MOST_OUTPUT = 64 * 2 ** 20;
const MOST_STDERR = 8192;
/** Longer than all that the mark prints. */
const TAIL = 8192;

type Ending = { readonly code: number | null; readonly signal: string | null };

/**
 * What lvm reads, and what takes its stderr. The first is a FIFO, because what Node makes for a child's stdin is a
 * socket, which has no path; the second a file, because of two pipes nobody can tell which was written first.
 */
type Ends = { readonly dir: string; readonly fifo: string; readonly pipe: number; readonly stderr: number };

const makeEnds = async (run: Run): Promise<Ends | null> => {
  const dir = await mkdtemp(join(tmpdir(), 'domtrail-lvm-'));
  const fifo = join(dir, 'script');
  const { evidence } = await run(['mkfifo', '-m', '600', fifo]);
  if (evidence.exitCode !== 0) {
    await rm(dir, { recursive: true, force: true });
    return null;
  }
  // Open for both, it does not wait for lvm to come; our death closes it too, and lvm then ends after its line.
  return { dir, fifo, pipe: openSync(fifo, constants.O_RDWR), stderr: openSync(join(dir, 'stderr'), 'a+', 0o600) };
};

/** What was printed since the last look. */
const reading = (stderr: number): (() => string) => {
  let from = 0;
  return () => {
    const { size } = fstatSync(stderr);
    const buffer = Buffer.alloc(Math.min(size - from, MOST_STDERR));
    const length = readSync(stderr, buffer, 0, buffer.length, from);
    from = size;
    return buffer.toString('utf8', 0, length);
  };
};

/** Collects stdout until the mark comes by or the process ends. */
const listening = (child: ChildProcess) => {
  let said: string[] = [];
  let length = 0;
  let tail = '';
  let ended: Ending | null = null;
  let wake: () => void = () => undefined;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-TAIL);
    length += text.length;
    // What is too much is thrown away, and its end waited for all the same.
    if (length <= MOST_OUTPUT) said.push(text);
    wake();
  });
  const end = (code: number | null, signal: string | null): void => {
    ended ??= { code, signal };
    wake();
  };
  child.on('error', () => end(127, null));
  child.on('close', end);
  return {
    ended: (): Ending | null => ended,
    marked: async (): Promise<{ readonly stdout: string; readonly whole: boolean }> => {
      while (!MARKED.test(tail) && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const heard = { stdout: said.join('').replace(OF_MARK, ''), whole: length <= MOST_OUTPUT };
      said = [];
      length = 0;
      tail = '';
      return heard;
    },
  };
};

type Handle = { readonly ref?: () => void; readonly unref?: () => void } | null;

/** Keeps this process waiting for the child only while an answer is due. */
const holding = (child: ChildProcess, hold: boolean): void => {
  const handles: readonly Handle[] = [child, child.stdout as Handle];
  for (const one of handles) {
    if (hold) one?.ref?.();
    else one?.unref?.();
  }
};

const started = ([program, ...args]: Argv, { fifo, pipe, stderr }: Ends): Script => {
  const env = { ...process.env, ...ENVIRONMENT };
  const child = spawn(program, [...args, fifo], { stdio: ['ignore', 'pipe', stderr], env });
  const { ended, marked } = listening(child);
  const news = reading(stderr);
  const open = new Set([pipe, stderr]);
  const close = (fd: number): void => {
    if (open.delete(fd)) closeSync(fd);
  };
  let asking = false;
  const over = (): void => {
    if (!asking && ended()) for (const fd of [pipe, stderr]) close(fd);
  };
  child.on('close', over);
  writeSync(pipe, '#!\n');
  return {
    alive: () => open.has(pipe) && !ended(),
    end: () => close(pipe),
    ask: async (line) => {
      asking = true;
      holding(child, true);
      writeSync(pipe, `${line}\n${MARK}\n`);
      const { stdout, whole } = await marked();
      holding(child, false);
      const ending = ended();
      const epitaph = ending?.signal ? `lvm: killed by ${ending.signal}\n` : '';
      const stderrText = news() + epitaph;
      asking = false;
      over();
      if (ending) return { exitCode: ending.code, stdout, stderr: stderrText };
      return { exitCode: whole ? 0 : null, stdout, stderr: stderrText };
    },
  };
};

/** `argv`: lvm as it is to be started, without a command. Null where it cannot be had or takes no script. */
export const startScript = async (argv: Argv, run: Run): Promise<Script | null> => {
  const ends = await makeEnds(run);
  if (!ends) return null;
  const script = started(argv, ends);
  // An empty line does nothing: whether its mark comes back tells whether scripts work here.
  const { exitCode } = await script.ask('');
  await rm(ends.dir, { recursive: true, force: true });
  if (exitCode === 0) return script;
  script.end();
  return null;
};
