import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import { type Lineage, lineageSvg, verdictOf } from '../../projections/volumes/lineage-svg.ts';
import { pictureRows } from '../../projections/volumes/picture-rows.ts';
import { type Past, pastOf, type Turn } from '../../projections/volumes/turns.ts';
import { type DiskRow, disksOfVolume, volumesProjection } from '../../projections/volumes/volumes.ts';
import * as to from '../domain/commands.ts';
import type { Story } from '../domain/given.ts';
import { smallHost } from '../domain/hosts.ts';
import { tablesAfter } from './tables.ts';
import { isWellFormed } from './well-formed.ts';

const KEY = 'work:private';
const NO_PAST: Past = { marks: new Map(), turns: [] };

const pastIn = (story: Story): Past => pastOf(story.log.filter(({ stream }) => stream === `volume/${KEY}`));

const lineageIn = (story: Story): Lineage => ({
  volume: KEY,
  disks: disksOfVolume(tablesAfter(volumesProjection, story.log).sql, KEY),
  past: pastIn(story),
  most: 100,
});

const teller = (position: number) => ({ when: `day ${position}`, command: 'StopVM', by: 'ada', reason: null });

const svgOf = (lineage: Lineage, page = false): string => lineageSvg(lineage, teller, { page }).markup;

const turnsIn = (story: Story): readonly string[] => pastIn(story).turns.map(({ is, to: goal }) => `${is} ${goal}`);

describe('going back in time', () => {
  test('is a revert, an import over what was there, and a session thrown away; a stop that commits is none', () => {
    const story = smallHost(3).after(to.start('work'), to.stop('work'));
    expect(turnsIn(story)).toEqual([]);
    const [revision] = story.volume(KEY).revisions;
    story.after(to.revert(KEY), to.importFile(KEY, '/tmp/new.img'), to.start('work'), to.stopDiscarding('work'));
    expect(turnsIn(story)).toEqual([`reverted ${revision?.id}`, 'imported /tmp/new.img', 'discarded null']);
  });

  test('is told with how often it happened, and crashes beside it', () => {
    const story = smallHost(3).after(to.start('work'), to.stop('work'));
    expect(verdictOf(lineageIn(story))).toBe('Never went back');
    story.after(to.revert(KEY), to.start('work'), to.recordReboot('boot-2'), to.discard(KEY));
    const last = pastIn(story).turns.at(-1)?.position;
    expect(verdictOf(lineageIn(story))).toBe(`Went back twice, last at ev:${last}; left by a crash once`);
    const template = { ...lineageIn(story), disks: [], past: NO_PAST };
    expect(verdictOf(template)).toBe('Never had a disk');
  });

  test('marks the session that a crash left, and what a recovery finished', () => {
    const story = smallHost(3).after(to.start('work'), to.recordReboot('boot-2'), to.commit(KEY));
    const facts = story.log.filter(({ stream }) => stream === `volume/${KEY}`);
    const committing = facts.at(-1)?.command ?? '';
    const { marks } = pastOf(facts, new Set([committing]));
    expect([...marks.values()].map((some) => some.map(({ is }) => is))).toEqual([['crash', 'recovered']]);
  });
});

const row = (disk: string, role: string, made: number, more: Partial<DiskRow> = {}): DiskRow => ({
  disk,
  volume: KEY,
  role,
  revision: `r-${disk}`,
  pinned: false,
  origin: null,
  source: null,
  bytes: 2 ** 31,
  how: 'SessionOpened',
  command: 'c1',
  made,
  committed: made,
  changed: made,
  why: role === 'gone' ? 'retention' : null,
  gone: null,
  ...more,
});

/** `n` states, each from the one before it; only the newest is there. */
const chain = (n: number): readonly DiskRow[] =>
  Array.from({ length: n }, (_, index) =>
    row(`d${index}`, index === n - 1 ? 'current' : 'gone', index + 1, { origin: index === 0 ? null : `d${index - 1}` }),
  );

describe('a picture of many states', () => {
  const sizes = (disks: readonly DiskRow[], past = NO_PAST): readonly number[] =>
    pictureRows(disks, past, 100).rows.map(({ states }) => states.length);

  test('folds plain states that are gone into one line, three or more of them', () => {
    expect(sizes(chain(500))).toEqual([1, 499]);
    expect(sizes(chain(3))).toEqual([1, 1, 1]);
  });

  test('never folds away a turn, or the state that a branch begins at', () => {
    const turn: Turn = { is: 'reverted', position: 251, disk: 'd250', to: '7' };
    expect(sizes(chain(500), { marks: new Map(), turns: [turn] })).toEqual([1, 248, 1, 250]);
    const aside = row('aside', 'revision', 600, { origin: 'd100' });
    expect(sizes([...chain(500), aside])).toEqual([1, 1, 398, 1, 100]);
  });

  test('counts what it leaves out below', () => {
    const kept = chain(50).map((one) => ({ ...one, role: 'revision' }));
    const { rows, older } = pictureRows(kept, NO_PAST, 20);
    expect([rows.length, older]).toEqual([20, 30]);
    expect(svgOf({ volume: KEY, disks: kept, past: NO_PAST, most: 20 })).toContain('and 30 older states');
  });

  test('leaves out volatile disks that are gone, and keeps what lies in the trash', () => {
    const disks = [
      row('a', 'gone', 1, { how: 'ScratchOpened', committed: null }),
      row('b', 'trash', 2, { why: 'removed' }),
    ];
    expect(pictureRows(disks, NO_PAST, 9).rows.map(({ id }) => id)).toEqual(['b']);
  });
});

describe('the picture', () => {
  const story = smallHost(4).after(to.start('work'), to.stop('work'), to.start('work'), to.stop('work'));
  const oldest = story.volume(KEY).revisions.at(-1)?.id ?? '';
  story.after(to.pin(KEY, oldest), to.revert(KEY, oldest), to.start('work'), to.recordReboot('boot-2'));
  const svg = svgOf(lineageIn(story));

  test('shows every state with its identity, what came of it, and who did it', () => {
    for (const { disk, how } of lineageIn(story).disks) if (how !== 'ScratchOpened') expect(svg).toContain(disk);
    expect(svg).toContain(`↶ reverted to revision ${oldest}`);
    expect(svg).toContain('◎ pinned');
    expect(svg).toMatch(/✕ crash at ev:\d+/);
    expect(svg).toContain('StopVM by ada');
    expect(svg).toContain('Went back once');
  });

  test('is one file without a script or anything to fetch, light and dark, with text as text', () => {
    expect(isWellFormed(svg)).toBe(true);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /http|script|href|src=|url\(|@import|\son\w+=/,
    );
    expect(svg).toContain('prefers-color-scheme:dark');
    const parsed = new XMLParser({ ignoreAttributes: false }).parse(svg) as { readonly svg: Record<string, unknown> };
    expect(parsed.svg['@_aria-label']).toMatch(/^Lineage of work:private: \d+ lines, newest first\. Went back once/);
    expect(parsed.svg['@_role']).toBe('img');
  });

  test('is the same every time; in a page it brings neither a style nor a size of its own', () => {
    expect(svgOf(lineageIn(story))).toBe(svg);
    const inPage = svgOf(lineageIn(story), true);
    expect(inPage).toMatch(/^<svg class="lineage" role="img" aria-label="[^"]*" width="100%" height="\d+">/);
    expect(inPage).not.toContain('<style');
  });

  test('cannot be broken out of by the name of a file', () => {
    const source = `</title><script>alert(1)</script>"'&\u202e\u0000${'x'.repeat(300)}`;
    const hostile = svgOf({
      volume: KEY,
      disks: [row('A', 'current', 1, { how: 'VolumeImported', source })],
      past: NO_PAST,
      most: 9,
    });
    expect(isWellFormed(hostile)).toBe(true);
    expect(hostile).not.toMatch(/<script|\u202e|\u0000/);
    expect(hostile).toContain('&lt;script&gt;alert(1)');
  });
});
