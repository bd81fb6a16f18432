import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Owner } from '../../domain/command/events.ts';
import { bootId, parseStat, signalProcess } from '../../infrastructure/ledger/process-identity.ts';

let child: ReturnType<typeof spawn>;
let owner: Owner;

beforeEach(async () => {
  child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid ?? -1;
  const seen = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  owner = { pid, startTime: seen.is === 'running' ? seen.startTime : '', bootId: bootId() };
});
afterEach(() => child.kill('SIGKILL'));

const isThere = (): boolean => child.exitCode === null && child.signalCode === null;

describe('a signal to the process that the log names', () => {
  test('comes to that very process', async () => {
    const ended = once(child, 'exit');
    expect(signalProcess(owner, 'SIGTERM')).toEqual({ ok: true, value: true });
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  test('does not come to another one that has its pid now, or had it under another boot', () => {
    const others = [{ startTime: '1' }, { startTime: '' }, { bootId: 'another' }];
    for (const other of others)
      expect(signalProcess({ ...owner, ...other }, 'SIGKILL')).toEqual({ ok: true, value: false });
    expect(isThere()).toBe(true);
    expect(process.kill(owner.pid, 0)).toBe(true);
  });

  test('is not sent where the process is gone', async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(signalProcess(owner, 'SIGTERM')).toEqual({ ok: true, value: false });
  });
});
