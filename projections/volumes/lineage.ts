import type { DiskRow } from './volumes.ts';

export type LineageStyle = 'utf8' | 'ascii';

/** One state of a volume in the graph, newest first. */
export type LineageNode = DiskRow & { readonly branch: boolean };

const SYMBOLS = {
  utf8: { now: '@', live: '●', past: '○', line: '│', fork: '├─╯', more: '┆' },
  ascii: { now: '@', live: '*', past: 'o', line: '|', fork: '|-+', more: ':' },
} as const;

const HOW: Readonly<Record<string, string>> = {
  VolumeProvisioned: 'made empty',
  SessionOpened: 'session',
  SessionCheckpointed: 'committed while running',
  VolumeReverted: 'reverted',
  VolumeImported: 'imported',
  VolumeCloned: 'cloned',
  VolumeResized: 'cut to a smaller size',
  ScratchOpened: 'volatile',
};

const stateText = ({ role, revision, changed, gone, how }: DiskRow): string => {
  const origin = HOW[how] ?? how;
  switch (role) {
    case 'session':
      return `${origin}, in use or waiting to be decided about`;
    case 'current':
    case 'direct':
      return 'committed';
    case 'revision':
      return `revision ${revision}`;
    case 'trash':
      return `trash since ev:${changed}`;
    case 'gone':
      return `gone since ev:${gone}`;
    default:
      return origin;
  }
};

const LIVE = new Set(['current', 'session', 'direct', 'scratch', 'revision']);

/** States that only existed between two events of one command are noise; the rest are the volume's history. */
const worthShowing = ({ role, how }: DiskRow): boolean => LIVE.has(role) || how !== 'ScratchOpened';

/**
 * Marks states that were copied from one that is not their predecessor: a revert to an older revision, or a revision
 * left aside by one. Those hang off the trunk.
 */
const withBranches = (rows: readonly DiskRow[]): readonly LineageNode[] => {
  const trunk = new Set<string>();
  const byId = new Map(rows.map((row) => [row.disk, row]));
  const newest =
    rows.find(({ role }) => role === 'session') ?? rows.find(({ role }) => role === 'current' || role === 'direct');
  for (let at: DiskRow | undefined = newest ?? rows[0]; at && !trunk.has(at.disk); ) {
    trunk.add(at.disk);
    at = at.origin ? byId.get(at.origin) : undefined;
  }
  return rows.map((row) => ({ ...row, branch: !trunk.has(row.disk) }));
};

/** The states of a volume for programs and for the graph, newest first; volatile disks that are gone are left out. */
export const lineageOf = (rows: readonly DiskRow[]): readonly LineageNode[] =>
  withBranches([...rows].filter(worthShowing).reverse());

export type Dated = (position: number) => string;

const MAX_GONE = 5;

type Drawing = { readonly style: LineageStyle; readonly when: Dated };

const symbolOf = (node: LineageNode, newest: boolean, style: LineageStyle): string => {
  const s = SYMBOLS[style];
  if (node.role === 'session' || (newest && node.role !== 'gone')) return s.now;
  return LIVE.has(node.role) ? s.live : s.past;
};

/** A state, its disk below it, and the line that joins it to the older ones. */
const draw = (
  node: LineageNode,
  place: { readonly newest: boolean; readonly oldest: boolean },
  { style, when }: Drawing,
): readonly string[] => {
  const s = SYMBOLS[style];
  const symbol = symbolOf(node, place.newest, style);
  const lane = node.branch ? `${s.line} ${symbol}` : `${symbol}  `;
  const from = node.origin ? `  from ${node.origin}` : '';
  const below = place.oldest && !node.branch ? ' ' : s.line;
  const lines = [
    `${lane}  ev:${node.made}  ${when(node.made)}  ${stateText(node)}`,
    `${below}      ${node.disk}${from}`,
  ];
  return node.branch && !place.oldest ? [...lines, s.fork] : lines;
};

/** All live states and the newest few of those that are gone. */
const shown = (nodes: readonly LineageNode[]): readonly LineageNode[] => {
  const gone = new Set(nodes.filter(({ role }) => role === 'gone').slice(MAX_GONE));
  return nodes.filter((node) => !gone.has(node));
};

/** The graph, a line or two per state. `when` gives the time of an event; old states beyond a few are summed up. */
export const lineageText = (nodes: readonly LineageNode[], style: LineageStyle, when: Dated): string => {
  const some = shown(nodes);
  const lines = some.flatMap((node, index) =>
    draw(node, { newest: index === 0, oldest: index === some.length - 1 }, { style, when }),
  );
  const hidden = nodes.length - some.length;
  if (hidden > 0) lines.push(`${SYMBOLS[style].more}  ${hidden} older states are gone`);
  return `${lines.join('\n')}\n`;
};
