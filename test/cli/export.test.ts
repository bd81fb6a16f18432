import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, scratchDirectory, type Terminal } from './terminal.ts';

let terminal: Terminal;
let dir: string;
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = await scratchDirectory();
  terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work', '-m', 'good morning');
  await terminal.does('vm', 'stop', 'work');
}, 120_000);

const event = async (...argv: string[]): Promise<number> => (await terminal.document(...argv)).as_of.event;

describe('a checkpoint', () => {
  test('is signed with a key kept elsewhere, found again while the log grows, and refused in place of another', async () => {
    const pem = await terminal.does('checkpoint', '--init-key', at('key'));
    writeFileSync(at('pub'), pem);
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/);
    expect(statSync(at('key')).mode & 0o777).toBe(0o600);
    expectRefusal(await terminal.run(['checkpoint', '--init-key', at('key')]), 'D_EXISTS');
    await terminal.does('checkpoint', '--key', at('key'), '-o', at('heads'));
    await terminal.does('vm', 'prefs', 'work', 'vcpus', '3');
    await terminal.does('checkpoint', '--key', at('key'), '-o', at('heads'));
    expect(readFileSync(at('heads'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
    const proved = await terminal.does('verify', '--against', at('heads'), '--public-key', at('pub'));
    expect(proved).toMatch(/^ok {3}checkpoints .*all 2 heads/m);
    // The home makes a key of its own, which is not the one we trust.
    const own = await terminal.run(['checkpoint']);
    expect(own.err).toMatch(/beside the log proves less/);
    writeFileSync(at('own'), own.out);
    const ended = await terminal.run(['verify', '--against', at('own'), '--public-key', at('pub')]);
    expect(ended.out).toMatch(/^BAD .*another key/m);
    expect(ended.code).toBe(6);
    expect(own.out + own.err + ended.out).not.toContain('PRIVATE');
  });

  test('of another home does not fit', async () => {
    const other = await homeWithWork();
    await other.run(['checkpoint', '-o', at('other')]);
    const ended = await terminal.run(['verify', '--against', at('other'), '--json']);
    expect(ended.code).toBe(6);
    expect(JSON.parse(ended.out)).toMatchObject({ item: { ok: false, firstBadPosition: 1 } });
    expectRefusal(await terminal.run(['verify', '--against', at('nothing')]), 'D_NOT_FOUND');
  });
});

describe('a bundle', () => {
  test('of the whole log, and of a part, is read with --db like the log', async () => {
    await terminal.run(['export', '-o', at('whole.db')]);
    expectRefusal(await terminal.run(['export', '-o', at('whole.db')]), 'D_EXISTS');
    await terminal.run(['export', '@-..@', '-o', at('whole.db'), '--force']);
    expect(await event('vm', 'list', '--db', at('whole.db'))).toBe(await event('vm', 'list'));
    expect(await terminal.does('verify', '--db', at('whole.db'))).toMatch(/^ok {3}chain +2 events/m);
    await terminal.does('replay', '--db', at('whole.db'));
    expectRefusal(await terminal.run(['vm', 'list', '--db', at('whole.db'), '--at', 'ev:9']), 'D_NOT_FOUND');
  });

  test('that is redacted answers the same questions about other names', async () => {
    await terminal.run(['export', '--redact', '-o', at('other.db')]);
    const db = ['--db', at('other.db')];
    const names = (await terminal.items<{ name: string }>('vm', 'list', ...db)).map(({ name }) => name);
    expect(names.sort()).toEqual(['dom0', 'vm-1', 'vm-2']);
    for (const command of [['verify'], ['replay'], ['log'], ['xml'], ['lineage', 'vm-2:private']]) {
      expect(await terminal.does(...command, ...db), command[0]).not.toMatch(/work|debian|good morning/);
    }
    expect(await terminal.does('blame', 'vm-2:private', ...db)).toMatch(/StartVM .*"\(redacted\)"/);
    expectRefusal(await terminal.run(['bisect', 'run', ...db]), 'D_NOT_FOUND');
  });
});
