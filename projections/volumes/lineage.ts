import { formatBytes } from '../../domain/bytes.ts';
import { counted } from '../../domain/counted.ts';
import { drawLanes, type Point, type Strokes } from './lanes.ts';
import { childrenFirst } from './order.ts';
import { stateText } from './state-words.ts';
import type { Mark, Past } from './turns.ts';
import type { DiskRow } from './volumes.ts';

export type LineageStyle = 'utf8' | 'ascii';

/**
 * A state of a volume. `parent` is the newest state still there that this one goes on from; `branch` marks states that
 * the newest one does not descend from, left aside by a revert or an import.
 */
export type LineageNode = DiskRow & {
  readonly there: boolean;
  readonly parent: string | null;
  readonly branch: boolean;
  readonly marks: readonly Mark[];
};

type Style = Strokes & {
  readonly now: string;
  readonly committed: string;
  readonly past: string;
  readonly more: string;
};

const STYLES: Readonly<Record<LineageStyle, Style>> = {
  utf8: {
    now: '@',
    committed: '●',
    past: '○',
    more: '┆',
    line: '│',
    join: '├',
    last: '╯',
    ends: '┴',
    crosses: '┼',
    across: '─',
  },
  ascii: {
    now: '@',
    committed: '*',
    past: 'o',
    more: ':',
    line: '|',
    join: '|',
    last: "'",
    ends: "'",
    crosses: '+',
    across: '-',
  },
};

const WIDTH = 80;

/** What the VM writes to; nothing starts from it before it is committed. */
const IN_USE: ReadonlySet<string> = new Set(['session', 'scratch']);
const THERE: ReadonlySet<string> = new Set([...IN_USE, 'current', 'direct', 'revision']);

export const isThere = ({ role }: DiskRow): boolean => THERE.has(role);

const rank = ({ role }: DiskRow): number => (IN_USE.has(role) ? 0 : role === 'current' || role === 'direct' ? 1 : 2);
/** From when on it was a state of the volume. */
export const since = ({ committed, made }: DiskRow): number => committed ?? made;

export const newestFirst = (a: DiskRow, b: DiskRow): number =>
  rank(a) - rank(b) || since(b) - since(a) || (a.disk < b.disk ? -1 : 1);

/** Through states that are not shown to the first that is. */
export const parentIn = (
  rows: ReadonlyMap<string, DiskRow>,
  row: DiskRow,
  shown: (row: DiskRow) => boolean,
): string | null => {
  const seen = new Set<string>();
  for (let at = row.origin; at !== null && !seen.has(at); ) {
    const origin = rows.get(at);
    if (!origin) return null;
    if (shown(origin)) return origin.disk;
    seen.add(at);
    at = origin.origin;
  }
  return null;
};

type Linked = DiskRow & Point;

const trunkOf = (ordered: readonly Linked[]): ReadonlySet<string> => {
  const byId = new Map(ordered.map((row) => [row.disk, row]));
  const trunk = new Set<string>();
  for (let at = ordered[0]; at && !trunk.has(at.disk); at = at.parent ? byId.get(at.parent) : undefined) {
    trunk.add(at.disk);
  }
  return trunk;
};

const NO_PAST: Past = { marks: new Map(), turns: [] };

const nodeOf = (
  { id, ...row }: Linked,
  { marks }: Past,
  place: Pick<LineageNode, 'there' | 'branch'>,
): LineageNode => ({ ...row, ...place, marks: marks.get(id) ?? [] });

/** The states of a volume for programs and for the graph: those that are there, newest first, then those that are not. */
export const lineageOf = (rows: readonly DiskRow[], past: Past = NO_PAST): readonly LineageNode[] => {
  const byId = new Map(rows.map((row) => [row.disk, row]));
  const linked = rows.map((row): Linked => ({ ...row, id: row.disk, parent: parentIn(byId, row, isThere) }));
  const there = childrenFirst(linked.filter(isThere), newestFirst);
  const trunk = trunkOf(there);
  const gone = linked.filter((row) => !isThere(row)).sort((a, b) => b.changed - a.changed || newestFirst(a, b));
  return [
    ...there.map((row) => nodeOf(row, past, { there: true, branch: !trunk.has(row.disk) })),
    ...gone.map((row) => nodeOf(row, past, { there: false, branch: false })),
  ];
};

/** Names of files come from outside: nothing in them may move the cursor or turn the line round. */
const harmless = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');

const cut = (line: string): string => {
  const characters = Array.from(line);
  return characters.length > WIDTH ? `${characters.slice(0, WIDTH - 1).join('')}…` : line.trimEnd();
};

const symbolOf = ({ role }: DiskRow, style: Style): string => {
  if (IN_USE.has(role)) return style.now;
  return role === 'revision' ? style.past : style.committed;
};

/** The ends a state can come to, in words. Volatile disks come and go with every start: not worth a line. */
const ENDS: readonly (readonly [why: string, words: (n: number) => string])[] = [
  ['retention', (n) => `${counted(n, 'older revision')} removed by retention`],
  ['not-kept', (n) => `${counted(n, 'older state')} not kept`],
  ['superseded', (n) => `${counted(n, 'state')} superseded`],
  ['discarded', (n) => `${counted(n, 'session')} thrown away`],
  ['removed', (n) => `${counted(n, 'disk')} removed with the volume`],
  ['leftover', (n) => `${counted(n, 'leftover')} of stock Qubes put aside`],
  ['lost', (n) => `${counted(n, 'disk')} lost`],
  ['replaced', (n) => `${counted(n, 'disk')} replaced by somebody else`],
  ['undone', (n) => `${counted(n, 'disk')} of commands that were undone`],
];

const summary = (gone: readonly LineageNode[], style: Style): readonly string[] =>
  ENDS.flatMap(([why, words]) => {
    const some = gone.filter((row) => row.why === why && row.how !== 'ScratchOpened');
    const kept = some.filter(({ role }) => role === 'trash').length;
    if (some.length === 0) return [];
    return [`${style.more}  ${words(some.length)}${kept > 0 ? `, ${kept} still in the trash` : ''}`];
  });

/** Gives the time of an event as it is to be shown. */
export type Dated = (position: number) => string;

/**
 * The graph: two lines a state, the second with the disk's identity, then what is no longer there in a few words. Fits 80
 * columns.
 */
export const lineageText = (nodes: readonly LineageNode[], style: LineageStyle, when: Dated): string => {
  const strokes = STYLES[style];
  const there = nodes.filter((node) => node.there);
  const drawn = drawLanes(
    there.map(({ disk, parent }) => ({ id: disk, parent })),
    strokes,
  );
  const lines = there.flatMap((node, index) => {
    const lanes = drawn[index];
    if (!lanes) return [];
    const at = since(node);
    const first = `${lanes.at(symbolOf(node, strokes))}  ev:${at}  ${when(at)}  ${harmless(stateText(node, node.marks))}`;
    const second = `${lanes.below}  ${node.disk}  ${formatBytes(node.bytes)}`;
    return [...(lanes.joining === null ? [] : [lanes.joining]), first, second];
  });
  const gone = summary(
    nodes.filter((node) => !node.there),
    strokes,
  );
  return [...lines, ...gone].map((line) => `${cut(line)}\n`).join('');
};
