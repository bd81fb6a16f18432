/** A point of the graph; `parent` is another point of it, or null. */
export type Point = { readonly id: string; readonly parent: string | null };

export type Strokes = {
  readonly line: string;
  /** the lane where others end */
  readonly join: string;
  /** the last lane that ends there, one in between that ends too, one that goes on */
  readonly last: string;
  readonly ends: string;
  readonly crosses: string;
  readonly across: string;
};

/** What is drawn left of a point: perhaps a line on which lanes join, the point's own line, and the one below it. */
export type Drawn = {
  /** the lane of the point itself, from 0 */
  readonly lane: number;
  readonly joining: string | null;
  readonly at: (symbol: string) => string;
  readonly below: string;
};

/** The point that each lane leads down to; null for a lane nobody uses. */
type Lanes = (string | null)[];

const cellsOf = (lanes: Lanes, { line }: Strokes): readonly string[] =>
  lanes.map((lane) => (lane === null ? ' ' : line));

const joined = (lanes: Lanes, mine: readonly number[], strokes: Strokes): string => {
  const first = mine[0] ?? 0;
  const last = mine.at(-1) ?? 0;
  const cells = lanes.map((lane, index) => {
    if (index === first) return strokes.join;
    if (index === last) return strokes.last;
    if (mine.includes(index)) return strokes.ends;
    if (lane !== null) return index > first && index < last ? strokes.crosses : strokes.line;
    return index > first && index < last ? strokes.across : ' ';
  });
  return cells
    .map((cell, index) => cell + (index >= first && index < last ? strokes.across : ' '))
    .join('')
    .trimEnd();
};

const dropUnused = (lanes: Lanes): void => {
  while (lanes.length > 0 && lanes.at(-1) === null) lanes.pop();
};

const place = (lanes: Lanes, { id, parent }: Point, strokes: Strokes): Drawn => {
  const mine = lanes.flatMap((lane, index) => (lane === id ? [index] : []));
  const joining = mine.length > 1 ? joined(lanes, mine, strokes) : null;
  for (const index of mine.slice(1)) lanes[index] = null;
  dropUnused(lanes);
  const free = lanes.indexOf(null);
  const own = mine[0] ?? (free < 0 ? lanes.length : free);
  lanes[own] = id;
  const cells = cellsOf(lanes, strokes);
  lanes[own] = parent;
  const below = cellsOf(lanes, strokes).join(' ');
  dropUnused(lanes);
  return { lane: own, joining, at: (symbol) => cells.with(own, symbol).join(' '), below };
};

/** Draws points from top to bottom, each of them above its parent. A point that nothing above leads to opens a lane. */
export const drawLanes = (points: readonly Point[], strokes: Strokes): readonly Drawn[] => {
  const lanes: Lanes = [];
  return points.map((point) => place(lanes, point, strokes));
};
