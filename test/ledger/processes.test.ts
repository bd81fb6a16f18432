import { readFileSync } from 'node:fs';
import SQLite from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { accept } from '../../infrastructure/ledger/accept.ts';
import { acquireLease, acquireLeaseWithin, releaseLease } from '../../infrastructure/ledger/lease.ts';
import { closeLedger, openLedger, readHead } from '../../infrastructure/ledger/ledger.ts';
import { bootId, parseStat, processLives, thisProcess } from '../../infrastructure/ledger/process-identity.ts';
import { commandsUpTo } from '../../infrastructure/ledger/queries.ts';
import { record } from '../../infrastructure/ledger/record.ts';
import { verifyLedger } from '../../infrastructure/ledger/verify.ts';
import {
  child,
  codeOf,
  commanding,
  counting,
  errorOf,
  fact,
  ledgerFile,
  must,
  open,
  working,
  writable,
} from './fixture.ts';

/** A ledger on disk that nobody has open. */
const closed = (): string => {
  const ledger = writable();
  must(accept(ledger, commanding('first')));
  must(releaseLease(ledger));
  closeLedger(ledger);
  return ledger.file;
};

describe('a process that is killed', () => {
  test('just before its commit leaves nothing of the command', async () => {
    const file = closed();
    const dying = child(['die-before-commit', file, 'lost']);
    expect((await dying.ended).signal).toBe('SIGKILL');
    const ledger = open(file, 'write');
    expect(commandsUpTo(ledger).map(({ id }) => id)).toEqual(['first']);
    expect(verifyLedger(ledger).ok).toBe(true);
    must(acquireLease(ledger, thisProcess(), null));
    expect(must(accept(ledger, commanding('lost'))).outcome.firstPosition).toBe(3);
  });

  test('just after its commit leaves all of it', async () => {
    const file = closed();
    const dying = child(['die-after-commit', file, 'kept']);
    expect(await dying.line()).toBe('done 4');
    expect((await dying.ended).signal).toBe('SIGKILL');
    const reader = open(file, 'read');
    expect(commandsUpTo(reader).map(({ id, outcome }) => [id, outcome.outcome])).toEqual([
      ['first', 'completed'],
      ['kept', 'completed'],
    ]);
    expect(verifyLedger(reader).ok).toBe(true);
    expect(commandsUpTo(open(file, 'write'))).toHaveLength(2);
  });

  test('and whose file is damaged is noticed by the next writer, before it writes', async () => {
    const file = closed();
    const dying = child(['die-after-commit', file, 'kept']);
    await dying.ended;
    const damaging = new SQLite(file).unsafeMode();
    damaging.pragma('writable_schema = ON');
    damaging.exec(
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'entities') WHERE name = 'outcomes'",
    );
    const again = openLedger(file, 'write');
    damaging.close();
    expect(errorOf(again)).toMatchObject({ code: 'D_HOME_UNREADABLE', next: 'domtrail verify' });
  });

  test('leaves a lease that the next writer takes over at once', async () => {
    const file = closed();
    const holder = child(['hold', file, 'held']);
    expect(await holder.line()).toBe('done 2');
    const ledger = open(file, 'write');
    const busy = errorOf(acquireLease(ledger, thisProcess(), 'mine'));
    expect(busy).toMatchObject({ code: 'D_BUSY', holder: 'held' });
    expect(codeOf(accept(ledger, commanding('c')))).toBe('D_STALE_WRITER');
    holder.kill();
    await holder.ended;
    expect(codeOf(acquireLease(ledger, thisProcess(), 'mine'))).toBe('ok');
    expect(codeOf(accept(ledger, commanding('c')))).toBe('ok');
  });
});

describe('two processes', () => {
  test('that write in turns never interleave, skip a position or lose a command', async () => {
    const file = closed();
    const writers = ['a', 'b', 'c'].map((name) => child(['contend', file, name]));
    const reader = open(file, 'read');
    for (const writer of writers) expect(await writer.line()).toBe('done');
    for (const writer of writers) expect((await writer.ended).stderr).toBe('');
    expect(commandsUpTo(reader)).toHaveLength(61);
    expect(readHead(reader).position).toBe(122);
    expect(verifyLedger(reader).ok).toBe(true);
  });

  test('can close a ledger while the other one is in the middle of writing', () => {
    const ledger = writable();
    must(accept(ledger, commanding('c1')));
    const other = open(ledger.file, 'write');
    other.db.exec("BEGIN IMMEDIATE; UPDATE lease SET command = 'x'");
    closeLedger(ledger);
    other.db.exec('ROLLBACK');
  });

  test('that make the same ledger at the same moment end up with one', async () => {
    const file = ledgerFile();
    const makers = ['a', 'b', 'c'].map((name) => child(['create', file, name]));
    const lines = await Promise.all(makers.map((maker) => maker.line()));
    await Promise.all(makers.map((maker) => maker.ended));
    const done = lines.filter((line) => line.startsWith('done'));
    expect(done.length).toBeGreaterThan(0);
    expect(lines.every((line) => /^(done|D_BUSY)/.test(line))).toBe(true);
    const ledger = open(file, 'read');
    expect(commandsUpTo(ledger)).toHaveLength(done.length);
    expect(verifyLedger(ledger).checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  test('see what the other has written as soon as they look', async () => {
    const file = closed();
    const ledger = open(file, 'write', [counting]);
    must(acquireLease(ledger, thisProcess(), null));
    must(accept(ledger, commanding('mine')));
    must(releaseLease(ledger));
    const other = child(['write', file, 'theirs']);
    expect(await other.line()).toBe('done 6');
    await other.ended;
    must(acquireLease(ledger, thisProcess(), null));
    // The other process knows no projections: what it wrote is caught up here.
    expect(must(accept(ledger, commanding('again'))).outcome.firstPosition).toBe(7);
    expect(verifyLedger(ledger)).toMatchObject({ ok: true, events: 8 });
  });
});

describe('the lease', () => {
  const owner = (more: object) => ({ ...thisProcess(), ...more });

  test('outlives neither a reboot nor its process, even when the pid is in use again', () => {
    for (const gone of [{ bootId: 'another boot' }, { startTime: '1' }, { pid: 2 ** 22 + 1 }]) {
      const ledger = writable();
      must(releaseLease(ledger));
      must(acquireLease(ledger, owner(gone), 'old'));
      const heir = open(ledger.file, 'write');
      expect(codeOf(acquireLease(heir, thisProcess(), 'new'))).toBe('ok');
      expect(heir.cache.token).toBe((ledger.cache.token ?? 0) + 1);
    }
  });

  test('taken over from a writer that was taken for dead stops that writer, in the middle of its command', () => {
    const ledger = writable();
    must(accept(ledger, working('c1')));
    const heir = open(ledger.file, 'write');
    must(acquireLease(heir, thisProcess(), 'new'));
    expect(errorOf(record(ledger, { command: 'c1', time: 1 }, [fact('p')]))).toMatchObject({
      code: 'D_STALE_WRITER',
      holder: 'new',
    });
    expect(codeOf(record(heir, { command: 'c1', time: 1 }, [fact('p')]))).toBe('ok');
    must(releaseLease(ledger));
    expect(codeOf(record(heir, { command: 'c1', time: 1 }, [fact('q')]))).toBe('ok');
  });

  test('asked for again by its holder keeps its token and says what it is for now', () => {
    const ledger = writable();
    const { token } = ledger.cache;
    must(acquireLease(ledger, thisProcess(), 'next'));
    expect(ledger.cache.token).toBe(token);
    expect(ledger.db.prepare('SELECT command FROM lease').pluck().get()).toBe('next');
  });

  test('given up for a long copy must be held again before anything is recorded', async () => {
    const ledger = writable();
    must(accept(ledger, working('c1')));
    must(releaseLease(ledger));
    expect(errorOf(record(ledger, { command: 'c1', time: 1 }, [fact('p')]))).toMatchObject({
      code: 'D_STALE_WRITER',
      message: 'this process does not hold the ledger',
    });
    must(await acquireLeaseWithin(ledger, thisProcess(), 'c1', 1000));
    expect(codeOf(record(ledger, { command: 'c1', time: 1 }, [fact('p')]))).toBe('ok');
  });

  test('is waited for as long as asked, then busy', async () => {
    const file = closed();
    const holder = child(['hold', file, 'held']);
    await holder.line();
    const ledger = open(file, 'write');
    expect(codeOf(await acquireLeaseWithin(ledger, thisProcess(), null, 120))).toBe('D_BUSY');
    const waiting = acquireLeaseWithin(ledger, thisProcess(), null, 20_000);
    holder.kill();
    expect(codeOf(await waiting)).toBe('ok');
  });

  test('of serve, which works for an instant, is waited for unasked', async () => {
    const file = closed();
    const holder = child(['hold', file, 'serve']);
    await holder.line();
    const waiting = acquireLeaseWithin(open(file, 'write'), thisProcess(), null, 0);
    holder.kill();
    expect(codeOf(await waiting)).toBe('ok');
  });
});

describe('a process is known by pid, start time and boot', () => {
  test('whatever it calls itself', () => {
    const stat = (name: string, state = 'S') =>
      `77 (${name}) ${state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21\n`;
    for (const name of ['node', 'a b', ') (', '77 (x) R 1'])
      expect(parseStat(stat(name))).toEqual({ is: 'running', startTime: '4242' });
    expect(parseStat(stat('zombie', 'Z'))).toEqual({ is: 'over' });
    expect(parseStat('')).toEqual({ is: 'hidden' });
    const [, startTime] = /\) \S(?: \S+){18} (\d+)/.exec(readFileSync('/proc/self/stat', 'utf8')) ?? [];
    expect(thisProcess()).toEqual({ pid: process.pid, startTime, bootId: bootId() });
  });

  test('and lives as long as all three fit', () => {
    expect(processLives(thisProcess())).toBe(true);
    expect(processLives({ ...thisProcess(), startTime: '1' })).toBe(false);
    expect(processLives({ ...thisProcess(), bootId: 'x' })).toBe(false);
    expect(processLives({ ...thisProcess(), pid: 2 ** 22 + 1 })).toBe(false);
  });

  test('and DOMTRAIL_BOOT_ID stands for another boot', async () => {
    const file = closed();
    const holder = child(['hold', file, 'held']);
    await holder.line();
    const other = child(['write', file, 'c'], { env: { DOMTRAIL_BOOT_ID: 'after the reboot' } });
    expect(await other.line()).toBe('done 4');
    await other.ended;
    holder.kill();
    await holder.ended;
  });
});
