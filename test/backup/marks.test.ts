import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Mark, marksIn, writeMarks } from '../../infrastructure/backup/marks.ts';

const dir = mkdtempSync(join(tmpdir(), 'domtrail-marks-'));
afterAll(() => rmSync(dir, { recursive: true }));

const mine = { headerKey: Buffer.alloc(64, 7), backupId: '20261123T061500-1a2b3c4d' };
const NOTHING = { count: 0, end: 0 };

const mark = (offset: number): Mark => ({
  is: 'begun',
  path: 'qubes.xml',
  offset,
  members: 3,
  crc: 0xffff_ffff,
  taken: { event: 12, time: '2026-11-23T06:15:00Z' },
  stamps: { 'work:private': '12+4096+1' },
});
const ALL = [10_240, 20_480, 30_720, 40_960].map(mark);

let text: string;
const path = join(dir, 'marks');
beforeAll(async () => {
  const writer = await writeMarks(path, mine, NOTHING);
  for (const one of ALL) await writer.add(one);
  await writer.close();
  text = readFileSync(path, 'latin1');
});

const readFrom = (from: string, marked = mine): readonly Mark[] => marksIn(from, marked).map((one) => one.mark);

describe('the marks of a backup', () => {
  test('are read back in order, by nobody else, and only for this backup', () => {
    expect(readFrom(text)).toEqual(ALL);
    expect(readFrom(text, { ...mine, headerKey: Buffer.alloc(64, 8) })).toEqual([]);
    expect(readFrom(text, { ...mine, backupId: 'another' })).toEqual([]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('cut off or changed anywhere give the ones before that place, never another one', () => {
    const place = fc.nat({ max: text.length - 1 });
    fc.assert(
      fc.property(place, fc.constantFrom('cut', 'changed', 'doubled'), (at, how) => {
        const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
        const bad =
          how === 'cut'
            ? text.slice(0, at)
            : how === 'changed'
              ? text.slice(0, at) + other + text.slice(at + 1)
              : text.slice(0, at) + text.slice(Math.max(0, at - 40));
        const before = text.slice(0, at).split('\n').length - 1;
        const found = readFrom(bad);
        expect(found).toEqual(ALL.slice(0, found.length));
        expect(found.length).toBeGreaterThanOrEqual(how === 'doubled' ? 0 : before);
      }),
    );
  });

  test('go on after those that are kept', async () => {
    const kept = marksIn(text, mine)[1];
    const writer = await writeMarks(path, mine, { count: 2, end: kept?.end ?? 0 });
    await writer.add(mark(99_840));
    await writer.close();
    expect(readFrom(readFileSync(path, 'latin1'))).toEqual([...ALL.slice(0, 2), mark(99_840)]);
  });
});
