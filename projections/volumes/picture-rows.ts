import { isThere, newestFirst, parentIn } from './lineage.ts';
import { childrenFirst } from './order.ts';
import type { Mark, Past, Turn } from './turns.ts';
import type { DiskRow } from './volumes.ts';

/** A line of the picture: a state, or several plain ones that are gone, as one. */
export type PictureRow = {
  readonly id: string;
  readonly parent: string | null;
  readonly states: readonly [DiskRow, ...DiskRow[]];
  readonly marks: readonly Mark[];
  readonly turn: Turn | null;
};

/** What a picture shows of a volume, newest first, and how many of its older states it leaves out. */
export type PictureRows = { readonly rows: readonly PictureRow[]; readonly older: number };

/** Fewer plain states than that are each worth their line. */
const FOLD_FROM = 3;

/** States that never became anything: volatile disks come and go with every start, undone commands leave nothing. */
const isShown = (row: DiskRow, lasting: boolean): boolean => {
  if (isThere(row)) return true;
  if (row.how === 'ScratchOpened') return false;
  return row.committed !== null || row.role === 'trash' || (lasting && row.why === 'discarded');
};

const isPlain = ({ states: [row], marks, turn }: PictureRow): boolean =>
  row.role === 'gone' && row.committed !== null && marks.length === 0 && turn === null;

/** Joins neighbours that are plain, each with only the one above it going on from it: where a branch begins is worth its line. */
const fold = (rows: readonly PictureRow[]): readonly PictureRow[] => {
  const children = new Map<string, number>();
  for (const { parent } of rows) if (parent !== null) children.set(parent, (children.get(parent) ?? 0) + 1);
  const folded: PictureRow[] = [];
  let run: PictureRow[] = [];
  const end = (): void => {
    const [first] = run;
    if (first && run.length >= FOLD_FROM) {
      const [one, ...more] = run.flatMap(({ states }) => states);
      if (one) folded.push({ ...first, parent: run.at(-1)?.parent ?? null, states: [one, ...more] });
    } else folded.push(...run);
    run = [];
  };
  for (const row of rows) {
    const last = run.at(-1);
    const plain = isPlain(row) && (children.get(row.id) ?? 0) <= 1;
    if (!plain || (last && last.parent !== row.id)) end();
    if (plain) run.push(row);
    else folded.push(row);
  }
  end();
  return folded;
};

/** The states of a volume as a picture has them, at most `most` lines; nothing that tells of a turn is folded away. */
export const pictureRows = (disks: readonly DiskRow[], { marks, turns }: Past, most: number): PictureRows => {
  const lasting = disks.some(({ committed }) => committed !== null);
  const shown = disks.filter((row) => isShown(row, lasting));
  const byId = new Map(disks.map((row) => [row.disk, row]));
  const ids = new Set(shown.map(({ disk }) => disk));
  const turnOf = new Map(turns.map((turn) => [turn.disk, turn]));
  const linked = shown.map((row) => ({
    ...row,
    id: row.disk,
    parent: parentIn(byId, row, ({ disk }) => ids.has(disk)),
  }));
  const all = childrenFirst(linked, newestFirst).map(
    ({ id, parent, ...row }): PictureRow => ({
      id,
      parent,
      states: [row],
      marks: marks.get(id) ?? [],
      turn: turnOf.get(id) ?? null,
    }),
  );
  const rows = fold(all);
  const older = rows.slice(most).reduce((sum, { states }) => sum + states.length, 0);
  return { rows: rows.slice(0, most), older };
};
