import { readFileSync } from 'node:fs';
import type { Owner } from '../../domain/command/events.ts';
import { type Failure, failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';

type Seen =
  | { readonly is: 'running'; readonly startTime: string }
  | { readonly is: 'over' }
  | { readonly is: 'hidden' };

/** Field 22 of /proc/PID/stat (proc(5)), counted after the last ")" because a process may call itself ") (" . */
export const parseStat = (stat: string): Seen => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie holds nothing any more: it only waits for its parent to ask.
  if (fields[0] === 'Z' || fields[0] === 'X') return { is: 'over' };
  return fields[19] ? { is: 'running', startTime: fields[19] } : { is: 'hidden' };
};

const look = (pid: number | 'self'): Seen => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return { is: 'hidden' };
  }
};

/** The kernel's boot id, or what a test puts in its place. */
export const bootId = (): string =>
  process.env['DOMTRAIL_BOOT_ID'] ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

export const thisProcess = (): Owner => {
  const seen = look('self');
  return { pid: process.pid, startTime: seen.is === 'running' ? seen.startTime : '0', bootId: bootId() };
};

/** Where /proc hides other users' processes (hidepid), a signal that is never sent still tells whether the pid is taken. */
const pidIsTaken = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/**
 * Whether that very process still runs: a pid alone may belong to somebody else by now. In doubt it does, because two
 * writers do more harm than one that waits.
 */
export const processLives = (owner: Owner): boolean => {
  if (owner.bootId !== bootId()) return false;
  const seen = look(owner.pid);
  return seen.is === 'hidden' ? pidIsTaken(owner.pid) : seen.is === 'running' && seen.startTime === owner.startTime;
};

const notOurs = (pid: number, cause: string): Result<never, Failure> =>
  err(failure('D_BUSY', `process ${pid} cannot be told to stop`, { cause, next: 'do it as the user who started it' }));

/**
 * Sends a signal to that very process: one whose start time can be read and is right, never to a pid alone. False: it is
 * gone. D_BUSY where it cannot be seen or is somebody else's.
 */
export const signalProcess = (owner: Owner, signal: NodeJS.Signals): Result<boolean, Failure> => {
  if (owner.bootId !== bootId()) return ok(false);
  const seen = look(owner.pid);
  if (seen.is === 'hidden')
    return pidIsTaken(owner.pid)
      ? notOurs(owner.pid, 'its start time cannot be read, so it may be another')
      : ok(false);
  if (seen.is === 'over' || seen.startTime !== owner.startTime) return ok(false);
  try {
    return ok(process.kill(owner.pid, signal));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.code === 'ESRCH' ? ok(false) : notOurs(owner.pid, error.message);
  }
};
