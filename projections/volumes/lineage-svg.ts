import { formatBytes } from '../../domain/bytes.ts';
import { element, joined, literally, type Markup } from '../markup.ts';
import { drawLanes, type Strokes } from './lanes.ts';
import { since } from './lineage.ts';
import { LINEAGE_STYLE } from './lineage-style.ts';
import { type PictureRow, pictureRows } from './picture-rows.ts';
import { endText, howText, markText, pastText, stateText, turnText } from './state-words.ts';
import type { Past } from './turns.ts';
import type { DiskRow } from './volumes.ts';

/** What is known of an event besides its position: its time as people read it, and the command behind it. */
type Told = {
  readonly when: string;
  readonly command: string;
  readonly by: string;
  readonly reason: string | null;
};
export type Teller = (position: number) => Told | null;

export type Lineage = {
  readonly volume: string;
  readonly disks: readonly DiskRow[];
  readonly past: Past;
  /** lines at most */
  readonly most: number;
};

const LANE = 18;
const LEFT = 16;
const TOP = 18;
/** Room for the name above a picture that stands for itself. */
const HEADING = 42;
const STATE_HEIGHT = 64;
const FOLD_HEIGHT = 40;
const WIDTH = 760;
const NO_STROKES: Strokes = { line: '', join: '', last: '', ends: '', crosses: '', across: '' };

type Placed = PictureRow & { readonly x: number; readonly y: number };

const place = (
  rows: readonly PictureRow[],
  top: number,
): { readonly placed: readonly Placed[]; readonly height: number } => {
  const drawn = drawLanes(rows, NO_STROKES);
  let y = top;
  const placed = rows.map((row, index) => {
    const at = { ...row, x: LEFT + LANE * (drawn[index]?.lane ?? 0), y };
    y += row.states.length > 1 ? FOLD_HEIGHT : STATE_HEIGHT;
    return at;
  });
  // The last one's lines need no room for an edge below them.
  return { placed, height: Math.max(0, y - 12) };
};

/** From a state down to the one it goes on from; dashed where that is not the state before it. */
const edge = (from: Placed, to: Placed | undefined, bottom: number): Markup | null => {
  if (from.parent === null) return null;
  if (!to) return element('path', { class: 'edge more', d: `M${from.x} ${from.y}V${bottom}` });
  const kind = from.turn !== null && from.turn.is !== 'discarded' ? 'edge turn' : 'edge';
  const bend = from.x > to.x ? `V${to.y - 12}Q${from.x} ${to.y} ${from.x - 12} ${to.y}H${to.x}` : `V${to.y}`;
  const way = from.x < to.x ? `V${to.y - 12}Q${from.x} ${to.y} ${from.x + 12} ${to.y}H${to.x}` : bend;
  return element('path', { class: kind, d: `M${from.x} ${from.y}${way}` });
};

const KINDS: Readonly<Record<string, string>> = {
  session: 'now',
  scratch: 'now',
  current: 'committed',
  direct: 'committed',
  revision: 'revision',
  trash: 'trash',
};

const dot = ({ states, marks, x, y }: Placed): Markup => {
  const [row] = states;
  const shape = { class: `dot ${KINDS[row.role] ?? 'gone'}` };
  const crashed = marks.some(({ is }) => is === 'crash');
  return joined([
    row.pinned ? element('circle', { class: 'ring', cx: x, cy: y, r: 9 }) : null,
    // Content that came from outside has corners.
    ['VolumeImported', 'VolumeCloned', 'VolumeRestored', 'DiskAdopted', 'DisksAccepted'].includes(row.how)
      ? element('rect', { ...shape, x: x - 5, y: y - 5, width: 10, height: 10 })
      : element('circle', { ...shape, cx: x, cy: y, r: states.length > 1 ? 3.5 : 5.5 }),
    crashed ? element('path', { class: 'cross', d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }) : null,
  ]);
};

const GONE: ReadonlySet<string> = new Set(['trash', 'gone']);

/** Room for the words after them: a path can be long, and the hover text has all of it. */
const LONGEST_NAME = 48;

const short = (text: string): string => {
  const characters = Array.from(text);
  return characters.length <= LONGEST_NAME ? text : `${characters.slice(0, LONGEST_NAME - 1).join('')}…`;
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The command that made it a state says more than the start that made its disk. */
const tale = (told: Told | null, position: number): readonly (Markup | null)[] => [
  element('tspan', {}, told?.when ?? '-'),
  element('tspan', { dx: 10 }, `ev:${position}`),
  told === null ? null : element('tspan', { dx: 10 }, `${told.command} by ${told.by}`),
  told?.reason ? element('tspan', { dx: 10, class: 'wide' }, `“${told.reason}”`) : null,
];

const cornerOf = (placed: readonly Placed[]): number => Math.max(...placed.map(({ x }) => x)) + 18;

const hover = (row: PictureRow, told: Told | null): string =>
  row.states
    .slice(0, 40)
    .map((state) => {
      const words = GONE.has(state.role) ? pastText(state) : stateText(state, row.marks);
      const reason = told?.reason ? ` (${told.reason})` : '';
      const ended = state.gone === null ? '' : `, gone at ev:${state.gone}`;
      return `${capital(words)}. ev:${since(state)}${ended}. ${state.bytes} bytes, ${state.disk}${reason}`;
    })
    .join(' | ');

const plainName = (row: DiskRow): string => {
  const bare = { ...row, how: '', pinned: false };
  return (GONE.has(row.role) ? pastText(bare) : stateText(bare)).split(', ')[0] ?? '';
};

/** What a state came from, how it ended, as far as its name does not say it. */
const remark = ({ states: [row], turn }: PictureRow): string => {
  const source = row.source === null ? null : short(row.source);
  const came =
    turn === null ? howText({ ...row, source }) : turnText({ ...turn, to: turn.to === null ? null : short(turn.to) });
  const left = row.role === 'session' ? 'not committed' : '';
  const ended = GONE.has(row.role) && !(turn?.is === 'discarded' && row.role === 'gone') ? endText(row) : left;
  return [came, ended].filter((part) => part !== '').join(', ');
};

const badge = (kind: string, text: string): Markup => element('tspan', { dx: 10, class: kind }, text);

const nameLine = (row: Placed, x: number): Markup => {
  const [state] = row.states;
  const said = remark(row);
  return element(
    'text',
    { x, y: row.y + 5, class: GONE.has(state.role) ? 'past' : null },
    element('tspan', { class: 'name' }, capital(plainName(state))),
    state.pinned ? badge('pin', '◎ pinned') : null,
    said === '' ? null : badge(row.turn === null ? 'past' : 'back', row.turn === null ? said : `↶ ${said}`),
    ...row.marks.map((one) =>
      badge(one.is === 'crash' ? 'bad' : 'past', `${one.is === 'crash' ? '✕ ' : ''}${markText(one)}`),
    ),
  );
};

const stateLines = (row: Placed, x: number, teller: Teller): readonly Markup[] => {
  const [state] = row.states;
  const told = teller(since(state));
  return [
    element('title', {}, hover(row, told)),
    nameLine(row, x),
    element('text', { x, y: row.y + 23, class: 'small' }, ...tale(told, since(state))),
    element('text', { x, y: row.y + 39, class: 'id' }, `${formatBytes(state.bytes)}  ${state.disk}`),
  ];
};

const foldLines = (row: Placed, x: number, teller: Teller): readonly Markup[] => {
  const newest = since(row.states[0]);
  const oldest = since(row.states.at(-1) ?? row.states[0]);
  const first = teller(oldest)?.when.slice(0, 10) ?? '';
  const last = teller(newest)?.when.slice(0, 10) ?? '';
  return [
    element('title', {}, hover(row, null)),
    element(
      'text',
      { x, y: row.y + 5, class: 'small' },
      element('tspan', {}, `${row.states.length} older states, gone`),
      element('tspan', { dx: 10 }, first === last ? first : `${first} to ${last}`),
      element('tspan', { dx: 10 }, `ev:${oldest} to ev:${newest}`),
    ),
  ];
};

const times = (n: number): string => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`);

/** The answer to "when did it go back in time", as text for those who cannot see the picture and for the head of it. */
export const verdictOf = ({ past: { turns, marks }, disks }: Lineage): string => {
  const crashes = [...marks.values()].flat().filter(({ is }) => is === 'crash').length;
  const crashed = crashes === 0 ? '' : `; left by a crash ${times(crashes)}`;
  if (disks.length === 0) return 'Never had a disk';
  if (!disks.some(({ committed }) => committed !== null)) return `Keeps nothing: fresh at every start${crashed}`;
  if (turns.length === 0) return `Never went back${crashed}`;
  return `Went back ${times(turns.length)}, last at ev:${turns.at(-1)?.position ?? 0}${crashed}`;
};

/** Whether there is a state to draw: a volume that keeps nothing has none while its VM is stopped. */
export const hasPicture = ({ disks, past }: Lineage): boolean => pictureRows(disks, past, 1).rows.length > 0;

const heading = (lineage: Lineage): Markup =>
  element(
    'text',
    { x: LEFT - 6, y: 26 },
    element('tspan', { class: 'name' }, lineage.volume),
    element('tspan', { dx: 14, class: lineage.past.turns.length > 0 ? 'back' : 'past' }, verdictOf(lineage)),
  );

type Frame = { readonly page: boolean };

/**
 * The states of a volume from the newest down, as SVG. For a page the style is the page's, and the picture takes the width
 * there is without scaling its text; a file stands for itself. The same volume always gives the same bytes.
 */
export const lineageSvg = (lineage: Lineage, teller: Teller, { page }: Frame): Markup => {
  const { rows, older } = pictureRows(lineage.disks, lineage.past, lineage.most);
  const { placed, height } = place(rows, page ? TOP : TOP + HEADING);
  const byId = new Map(placed.map((row) => [row.id, row]));
  const x = cornerOf(placed);
  const tall = height + (older > 0 ? 26 : 0);
  const size = page
    ? { width: '100%', height: tall }
    : { xmlns: 'http://www.w3.org/2000/svg', width: WIDTH, height: tall, viewBox: `0 0 ${WIDTH} ${tall}` };
  const label = `Lineage of ${lineage.volume}: ${rows.length} lines, newest first. ${verdictOf(lineage)}.`;
  return element(
    'svg',
    { class: 'lineage', role: 'img', 'aria-label': label, ...size },
    page ? null : element('title', {}, label),
    page ? null : element('style', {}, literally(LINEAGE_STYLE)),
    page ? null : heading(lineage),
    ...placed.map((row) => edge(row, row.parent === null ? undefined : byId.get(row.parent), height)),
    ...placed.map((row) =>
      element('g', {}, ...(row.states.length > 1 ? foldLines(row, x, teller) : stateLines(row, x, teller)), dot(row)),
    ),
    older > 0 ? element('text', { x, y: height + 14, class: 'small' }, `and ${older} older states`) : null,
  );
};
