import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DOMTRAIL, environment, type Terminal } from './terminal.ts';

/** A domtrail that stays until it is told to end. */
export type Running = {
  readonly pid: number;
  /** what it has said so far */
  readonly err: () => string;
  readonly out: () => string;
  /** Waits until it has said so. */
  readonly says: (what: RegExp) => Promise<void>;
  /** Sends a signal, waits for the end, and gives the exit code or the signal. */
  readonly ends: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals | null>;
};

const LONGEST_WAIT_MS = 60_000;

/** Waits until something is so. */
export const until = async (what: () => boolean | Promise<boolean>, otherwise: () => string): Promise<void> => {
  for (const end = performance.now() + LONGEST_WAIT_MS; !(await what()); ) {
    if (performance.now() > end) throw new Error(`it never came: ${otherwise()}`);
    await pause(30);
  }
};

export const starts = (terminal: Terminal, ...argv: readonly string[]): Running => {
  const child: ChildProcess = spawn(process.execPath, [DOMTRAIL, ...argv], {
    env: environment(terminal.home, terminal.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout?.on('data', (text: Buffer) => {
    said.out += text.toString();
  });
  child.stderr?.on('data', (text: Buffer) => {
    said.err += text.toString();
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const all = (): string => said.out + said.err;
  return {
    pid: child.pid ?? -1,
    err: () => said.err,
    out: () => said.out,
    says: (what) => until(() => what.test(all()), all),
    ends: async (signal) => {
      child.kill(signal);
      const [code, by] = await ended;
      return code ?? by;
    },
  };
};
