import type { Point } from './lanes.ts';

const insert = <T>(sorted: T[], one: T, compare: (a: T, b: T) => number): void => {
  const at = sorted.findIndex((other) => compare(one, other) < 0);
  sorted.splice(at < 0 ? sorted.length : at, 0, one);
};

const childrenOf = (points: readonly Point[]): Map<string, number> => {
  const children = new Map<string, number>();
  for (const { parent } of points) if (parent !== null) children.set(parent, (children.get(parent) ?? 0) + 1);
  return children;
};

/** As `compare` has them, but never a point above one that goes on from it. A circle is cut at its first point. */
export const childrenFirst = <T extends Point>(points: readonly T[], compare: (a: T, b: T) => number): readonly T[] => {
  const sorted = [...points].sort(compare);
  const waiting = new Map(sorted.map((point) => [point.id, point]));
  const children = childrenOf(sorted);
  const ready = sorted.filter(({ id }) => !children.has(id));
  const ordered: T[] = [];
  for (;;) {
    const next = ready.shift() ?? waiting.values().next().value;
    if (!next) return ordered;
    if (!waiting.delete(next.id)) continue;
    ordered.push(next);
    const parent = next.parent === null ? undefined : waiting.get(next.parent);
    if (!parent) continue;
    const left = (children.get(parent.id) ?? 1) - 1;
    children.set(parent.id, left);
    if (left === 0) insert(ready, parent, compare);
  }
};
