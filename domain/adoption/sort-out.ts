import type { Role } from '../disk.ts';
import type { Found } from './match.ts';
import type { SeenDisk, Untouched } from './seen.ts';

/** A disk and the role its name gave it. `why`: what a reader of the log should know beyond the name. */
export type Taken = { readonly disk: SeenDisk; readonly from: Role; readonly why: string | null };
export type TakenRevision = Taken & { readonly number: number; readonly at: number };

/** What becomes of the disks of one volume. Nothing in it is destroyed: trash only leaves the live names. */
export type Sorted = {
  readonly current: Taken | null;
  /** oldest first */
  readonly revisions: readonly TakenRevision[];
  readonly session: Taken | null;
  readonly trash: readonly Taken[];
  readonly untouched: readonly Untouched[];
  readonly notes: readonly string[];
  /** older states that must not go by retention before somebody has looked */
  readonly pinned: boolean;
};

export const NOTHING: Sorted = {
  current: null,
  revisions: [],
  session: null,
  trash: [],
  untouched: [],
  notes: [],
  pinned: false,
};

/** The place a disk lies at, in words that its driver turns into the very name it was found under. */
const roleOf = ({ as }: Found): Role => (as.kind === 'revision' ? { ...as, number: as.number ?? 1 } : as);

export const take = (found: Found, why: string | null = null): Taken => ({
  disk: found.disk,
  from: roleOf(found),
  why,
});

/** Known to hold nothing: stock empties a disk before it removes it, and may die in between. */
export const isEmpty = ({ disk }: { readonly disk: SeenDisk }): boolean => disk.usedBytes === 0;

export const ofKind = <K extends Found['as']['kind']>(found: readonly Found[], kind: K): readonly Found[] =>
  found.filter(({ as }) => as.kind === kind);

const LEFTOVERS: Readonly<Record<string, string>> = {
  import: 'an import that was never finished',
  incoming: 'half built by an earlier log',
  trash: 'trash of an earlier log',
  precache: 'a spare copy that stock Qubes makes for the next start',
  tmp: 'the state that an old commit had replaced',
};

/** Disks that nobody's data depends on, whatever else the volume has. */
export const leftovers = (found: readonly Found[]): readonly Taken[] =>
  found.flatMap((one) => {
    const { kind } = one.as;
    const why = LEFTOVERS[one.as.kind === 'legacy' ? one.as.as : kind];
    return why === undefined ? [] : [take(one, why)];
  });

/** A volume that is made anew at each start: what a dead VM left of it is in the way of the next one. */
export const sortMade = (found: readonly Found[], snapOnStart: boolean): Sorted => {
  const why = snapOnStart ? 'the session of a VM that is gone' : 'the volatile disk of a VM that is gone';
  // A volatile LV has the volume's own name, a volatile file that of a session.
  const used = [...ofKind(found, 'session'), ...(snapOnStart ? [] : ofKind(found, 'current'))];
  const left = used.map((one) => take(one, why));
  const rest = leftovers(found);
  const taken = new Set([...left, ...rest].map(({ disk }) => disk));
  const untouched = found
    .filter(({ disk }) => !taken.has(disk))
    .map(
      ({ disk }): Untouched => ({ name: disk.name, why: 'the volume is made anew at each start and keeps no state' }),
    );
  return { ...NOTHING, trash: [...left, ...rest], untouched };
};
