import { join } from 'node:path';
import SQLite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onDay, scriptedMonth } from '../scenarios/month.ts';
import type { LvmHost } from '../storage/lvm-host.ts';
import { DOMTRAIL, scratchDirectory, Terminal } from './terminal.ts';

let terminal: Terminal;
let host: LvmHost;
let dir: string;
let edited: number;

const time = (day: number): string => new Date(onDay(day)).toISOString();

/** Fault 3: somebody who can write the file makes 600 MiB of memory 6000, and leaves everything else as it was. */
const editRow = (file: string): number => {
  const db = new SQLite(file);
  try {
    const trigger = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'events_are_never_changed'").pluck().get();
    db.exec('DROP TRIGGER events_are_never_changed');
    const set = "type = 'PropertySet' AND data LIKE '%\"600\"%'";
    const position = db.prepare(`SELECT position FROM events WHERE ${set}`).pluck().get() as number;
    db.exec(`UPDATE events SET data = replace(data, '"600"', '"6000"') WHERE ${set}`);
    db.exec(String(trigger));
    return position;
  } finally {
    db.close();
  }
};

beforeAll(async () => {
  dir = await scratchDirectory();
  host = await scriptedMonth(dir);
  terminal = new Terminal(host.home.dir);
  terminal.env = { PATH: `${dir}:${process.env['PATH'] ?? ''}` };
  await terminal.run(['checkpoint', '-o', join(dir, 'heads')]);
  edited = editRow(host.home.ledger);
}, 120_000);

afterAll(() => host.cleanup());

type Item = Readonly<Record<string, unknown>>;

const asked = async (ends: number, ...argv: string[]) => {
  const ended = await terminal.run(argv);
  expect({ argv, code: ended.code, err: ended.err }).toEqual({ argv, code: ends, err: '' });
  return ended.out;
};

const items = async (ends: number, ...argv: string[]): Promise<readonly Item[]> =>
  (JSON.parse(await asked(ends, ...argv, '--json')) as { items: readonly Item[] }).items;

describe('after a month in which three things went wrong, a stranger finds', () => {
  test('every command for it on the first page of help', async () => {
    const help = await asked(0, 'help');
    for (const word of ['fsck', 'drift', 'witness', 'blame', 'verify', 'bisect', 'show']) expect(help).toContain(word);
  });

  test('the disk that was removed by hand: which, when, with which words, whose it was, and what mends it', async () => {
    const gone = (await items(2, 'drift')).find(({ object }) => object === 'mail:private qubes_dom0/vm-mail-private');
    expect(gone).toMatchObject({ problem: expect.stringMatching(/is gone$/), position: expect.any(Number) });
    expect(gone?.['adopt']).toMatch(/^domtrail drift adopt /);
    const foreign = await items(2, 'witness', '--archive', join(dir, 'archive'), '--backup', join(dir, 'backup'));
    expect(foreign.filter(({ commandLine }) => /^lvremove .*vm-mail-private$/.test(String(commandLine)))).toMatchObject(
      [{ kind: 'foreign', time: time(12) }],
    );
    expect(await asked(0, 'show', `ev:${String(gone?.['position'])}`)).toMatch(/bob/);
    expect(await asked(0, 'blame', 'mail:private')).toMatch(/2026-10-08 .*StartVM .* by bob, "mail is slow"/);
  });

  test('the disks that changed places: both, when, with which words, and what puts them back', async () => {
    const drift = await items(2, 'drift');
    const swapped = drift.filter(({ problem }) => /is now called .*another disk/.test(String(problem)));
    expect(swapped.map(({ object }) => String(object)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'bank:private qubes_dom0/vm-bank-private',
      'work:private qubes_dom0/vm-work-private',
    ]);
    for (const { repair } of swapped) expect(repair).toMatch(/^domtrail drift repair /);
    const foreign = await items(2, 'witness', '--archive', join(dir, 'archive'), '--backup', join(dir, 'backup'));
    const renames = foreign.filter(
      ({ kind, commandLine }) => kind === 'foreign' && String(commandLine).startsWith('lvrename'),
    );
    expect(renames.map((one) => one['time'])).toEqual([time(18), time(18), time(18)]);
    const repair = String(swapped[0]?.['repair']).split(' ').slice(1);
    expect(await asked(2, ...repair, '--plan')).toMatch(/move/);
  });

  test('the row that was edited: its position, its time, its author, and where its value begins', async () => {
    const verified = await terminal.run(['verify', '--json']);
    expect(verified.code).toBe(6);
    expect(JSON.parse(verified.out)).toMatchObject({ item: { ok: false, firstBadPosition: edited } });
    const shown = JSON.parse(await asked(0, 'show', `ev:${edited}`, '--json')) as { item: Item };
    expect(JSON.stringify(shown)).toMatch(/"user":"bob"/);
    expect(JSON.stringify(shown)).toContain(time(22));
    const check = `test "$('${process.execPath}' '${DOMTRAIL}' vm prefs bank memory)" != 6000`;
    const found = await terminal.run(['bisect', 'run', '--json', '--', 'sh', '-c', check]);
    expect(JSON.parse(found.out)).toMatchObject({ item: { position: edited, reason: 'bank needs more' } });
    const against = await terminal.run(['verify', '--against', join(dir, 'heads')]);
    expect(against.code).toBe(6);
    expect(against.out).toContain(`first bad position: ev:${edited}`);
  });
});
