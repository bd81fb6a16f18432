import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LineageStyle, lineageOf, lineageText } from '../../projections/volumes/lineage.ts';
import { type DiskRow, disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import * as to from '../domain/commands.ts';
import { smallHost } from '../domain/hosts.ts';
import { tablesAfter } from './tables.ts';

const when = (position: number): string => `day ${position}`;

/** A row for tests: `disk` made at `made`, from `origin`. */
const row = (disk: string, role: string, made: number, more: Partial<DiskRow> = {}): DiskRow => ({
  disk,
  volume: 'work:private',
  role,
  revision: role === 'revision' ? `r-${disk}` : null,
  pinned: false,
  origin: null,
  source: null,
  bytes: 2 ** 31,
  how: 'SessionOpened',
  command: 'c1',
  made,
  committed: role === 'session' || role === 'scratch' ? null : made,
  changed: made,
  why: null,
  gone: null,
  ...more,
});

const drawn = (rows: readonly DiskRow[], style: LineageStyle = 'utf8'): string =>
  `\n${lineageText(lineageOf(rows), style, when)}`;

describe('the graph of a volume', () => {
  test('has the running session on top, then the committed state, then the revisions', () => {
    const rows = [
      row('A', 'revision', 10),
      row('B', 'current', 20, { origin: 'A' }),
      row('C', 'session', 30, { origin: 'B' }),
    ];
    expect(drawn(rows)).toBe(`
@  ev:30  day 30  session, not committed
│  C  2.0 GiB
●  ev:20  day 20  committed
│  B  2.0 GiB
○  ev:10  day 10  revision r-A
   A  2.0 GiB
`);
  });

  test('shows what a revert left aside as a lane that joins where it began', () => {
    const rows = [
      row('A', 'revision', 10),
      row('B', 'revision', 20, { origin: 'A' }),
      row('C', 'revision', 30, { origin: 'B', pinned: true }),
      row('D', 'current', 40, { origin: 'A', how: 'VolumeReverted', source: 'r-A' }),
    ];
    expect(drawn(rows)).toBe(`
●  ev:40  day 40  committed, reverted to r-A
│  D  2.0 GiB
│ ○  ev:30  day 30  revision r-C, pinned
│ │  C  2.0 GiB
│ ○  ev:20  day 20  revision r-B
│ │  B  2.0 GiB
├─╯
○  ev:10  day 10  revision r-A
   A  2.0 GiB
`);
    expect(lineageOf(rows).map(({ disk, branch }) => [disk, branch])).toEqual([
      ['D', false],
      ['C', true],
      ['B', true],
      ['A', false],
    ]);
  });

  test('joins several lanes at once, across one that goes on', () => {
    const rows = [
      row('A', 'revision', 10),
      row('X', 'revision', 5),
      row('B', 'revision', 20, { origin: 'A' }),
      row('C', 'revision', 30, { origin: 'X' }),
      row('D', 'revision', 40, { origin: 'A' }),
      row('E', 'current', 50, { origin: 'A' }),
    ];
    expect(drawn(rows)).toBe(`
●  ev:50  day 50  committed
│  E  2.0 GiB
│ ○  ev:40  day 40  revision r-D
│ │  D  2.0 GiB
│ │ ○  ev:30  day 30  revision r-C
│ │ │  C  2.0 GiB
│ │ │ ○  ev:20  day 20  revision r-B
│ │ │ │  B  2.0 GiB
├─┴─┼─╯
○   │  ev:10  day 10  revision r-A
    │  A  2.0 GiB
    ○  ev:5  day 5  revision r-X
       X  2.0 GiB
`);
  });

  test('starts anew where content came from outside', () => {
    const rows = [
      row('A', 'revision', 10),
      row('B', 'current', 20, { how: 'VolumeImported', source: '/images/new.img' }),
    ];
    expect(drawn(rows)).toBe(`
●  ev:20  day 20  committed, imported from /images/new.img
   B  2.0 GiB
○  ev:10  day 10  revision r-A
   A  2.0 GiB
`);
  });

  test('leads through states that are gone, and sums those up', () => {
    const rows = [
      row('A', 'revision', 10),
      row('B', 'gone', 20, { origin: 'A', why: 'retention' }),
      row('C', 'gone', 30, { origin: 'B', why: 'retention' }),
      row('D', 'current', 40, { origin: 'C' }),
      row('E', 'trash', 50, { origin: 'D', why: 'discarded' }),
      row('F', 'gone', 60, { why: 'discarded', how: 'ScratchOpened' }),
    ];
    expect(drawn(rows)).toBe(`
●  ev:40  day 40  committed
│  D  2.0 GiB
○  ev:10  day 10  revision r-A
   A  2.0 GiB
┆  2 older revisions removed by retention
┆  1 session thrown away, 1 still in the trash
`);
  });

  test('puts a session above the state that was committed while it ran, though its disk is older', () => {
    const rows = [
      row('A', 'revision', 10),
      row('S', 'session', 20, { origin: 'C' }),
      row('C', 'current', 30, { origin: 'A', how: 'SessionCheckpointed' }),
    ];
    expect(lineageOf(rows).map(({ disk }) => disk)).toEqual(['S', 'C', 'A']);
  });

  test('has plain letters where the terminal has no others', () => {
    const rows = [
      row('A', 'revision', 10),
      row('B', 'revision', 20, { origin: 'A' }),
      row('C', 'current', 30, { origin: 'A' }),
      row('D', 'gone', 5, { why: 'removed' }),
    ];
    expect(drawn(rows, 'ascii')).toBe(`
*  ev:30  day 30  committed
|  C  2.0 GiB
| o  ev:20  day 20  revision r-B
| |  B  2.0 GiB
|-'
o  ev:10  day 10  revision r-A
   A  2.0 GiB
:  1 disk removed with the volume
`);
  });

  test('cannot be made to move the cursor by the name of a file, and fits the screen', () => {
    const source = `/images/\u001b[2J\u202e${'x'.repeat(200)}`;
    const text = drawn([row('A', 'current', 1, { how: 'VolumeImported', source })]);
    expect(text).not.toMatch(/[\u001b\u202e]/);
    expect(text).toContain('imported from /images/?[2J?xxx');
    for (const line of text.split('\n')) expect(Array.from(line).length).toBeLessThanOrEqual(80);
  });

  test('is empty for a volume that never had a disk', () => {
    expect(drawn([])).toBe('\n');
  });
});

/** Any family of disks: each goes on from an earlier one, or from nothing. */
const families = fc
  .array(fc.record({ from: fc.nat({ max: 30 }), role: fc.constantFrom('revision', 'revision', 'gone', 'trash') }), {
    maxLength: 30,
  })
  .map((draws) => {
    const rows: DiskRow[] = [];
    for (const { from, role } of draws) {
      rows.push(row(`d${rows.length}`, role, rows.length + 1, { origin: rows[from]?.disk ?? null, why: 'retention' }));
    }
    const last = rows.at(-1);
    if (last) rows[rows.length - 1] = { ...last, role: 'current' };
    return rows;
  });

describe('any family of disks', () => {
  test('is drawn with every state that is there once, and none above one that goes on from it', () => {
    fc.assert(
      fc.property(families, (rows) => {
        const nodes = lineageOf(rows);
        const there = nodes.filter((node) => node.there);
        expect(nodes).toHaveLength(rows.length);
        expect(there.map(({ disk }) => disk).sort()).toEqual(
          rows
            .filter(({ role }) => role !== 'gone' && role !== 'trash')
            .map(({ disk }) => disk)
            .sort(),
        );
        for (const [index, { parent }] of there.entries()) {
          if (parent !== null) expect(there.findIndex(({ disk }) => disk === parent)).toBeGreaterThan(index);
        }
      }),
    );
  });

  test('joins as many lanes as end, and gives the same graph whatever order the rows come in', () => {
    fc.assert(
      fc.property(families, fc.nat(), (rows, turn) => {
        const turned = [...rows.slice(turn % (rows.length + 1)), ...rows.slice(0, turn % (rows.length + 1))];
        const text = drawn(rows);
        expect(drawn(turned)).toBe(text);
        const there = lineageOf(rows).filter((node) => node.there);
        const children = new Map<string, number>();
        for (const { parent } of there) if (parent) children.set(parent, (children.get(parent) ?? 0) + 1);
        const ending = [...children.values()].reduce((sum, n) => sum + n - 1, 0);
        expect(text.match(/[╯┴]/g) ?? []).toHaveLength(ending);
      }),
    );
  });
});

test('rows of the projection can be drawn', () => {
  const story = smallHost(5).after(to.start('work'), to.stop('work'), to.revert('work:private'), to.start('work'));
  const rows = disksOfVolume(tablesAfter(volumesProjection, story.log).sql, 'work:private');
  const shape = drawn(rows).replace(/ {2}.*/g, '');
  expect(shape).toBe('\n@\n│\n●\n│\n│ ○\n│ │\n├─╯\n○\n\n');
});
