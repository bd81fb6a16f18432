import { readFileSync } from 'node:fs';
import type { Owner } from '../../domain/command/events.ts';

/** Field 22 of /proc/PID/stat, counted after the last ")" because a process may call itself ") (" . */
const startTimeOf = (pid: number | 'self'): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more: it only waits for its parent to ask.
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
};

/** The kernel's boot id, or what a test puts in its place. */
export const bootId = (): string =>
  process.env['DOMTRAIL_BOOT_ID'] ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

export const thisProcess = (): Owner => ({ pid: process.pid, startTime: startTimeOf('self') ?? '0', bootId: bootId() });

/** Whether that very process still runs: a pid alone may belong to somebody else by now. */
export const processLives = (owner: Owner): boolean =>
  owner.bootId === bootId() && startTimeOf(owner.pid) === owner.startTime;
