import type { ArchiveEntry } from './archive-entry.ts';

type Volumes = ArchiveEntry['volumes'];
type Named = { readonly id: string; readonly name: string };

/** What a command did to the LVs of a volume group, by UUID. Names are `VG/LV`. */
export type Changed = {
  readonly made: readonly Named[];
  readonly gone: readonly Named[];
  readonly renamed: readonly { readonly id: string; readonly was: string; readonly now: string }[];
};

export const NOTHING_CHANGED: Changed = { made: [], gone: [], renamed: [] };

/** From the state before a change to the state before the next one. */
export const changedBetween = (group: string, before: Volumes, after: Volumes): Changed => {
  const named = ([id, name]: readonly [string, string]): Named => ({ id, name: `${group}/${name}` });
  return {
    made: [...after].filter(([id]) => !before.has(id)).map(named),
    gone: [...before].filter(([id]) => !after.has(id)).map(named),
    renamed: [...after].flatMap(([id, now]) => {
      const was = before.get(id);
      return was === undefined || was === now ? [] : [{ id, was: `${group}/${was}`, now: `${group}/${now}` }];
    }),
  };
};

/** Two changes in a row as one: what came and went in between is left out. */
export const together = (first: Changed, then: Changed): Changed => {
  const gone = new Set(then.gone.map(({ id }) => id));
  const made = new Set(first.made.map(({ id }) => id));
  return {
    made: [...first.made.filter(({ id }) => !gone.has(id)), ...then.made],
    gone: [...first.gone, ...then.gone.filter(({ id }) => !made.has(id))],
    renamed: [...first.renamed, ...then.renamed],
  };
};
