import type { VolumeSpec } from '../volume/volume.ts';
import type { Found } from './match.ts';
import type { SeenDisk, Untouched } from './seen.ts';
import { isEmpty, leftovers, NOTHING, ofKind, type Sorted, type Taken, type TakenRevision, take } from './sort-out.ts';

/** The disks of a volume that is kept at stop, by what their names say. */
type Names = {
  readonly current: Found | null;
  readonly session: Found | null;
  readonly import: Found | null;
  readonly tmp: Found | null;
  /** oldest first */
  readonly revisions: readonly TakenRevision[];
  readonly spare: readonly Taken[];
  readonly untouched: readonly Untouched[];
};

/** Before every time stamp: nobody knows when an LV called just `-back` was kept. */
const LONG_AGO = 1;

const isLegacy = ({ as }: Found, what: string): boolean => as.kind === 'legacy' && as.as === what;

const revisionOf = (found: Found): TakenRevision | null =>
  found.as.kind === 'revision'
    ? { ...take(found), number: found.as.number ?? 0, at: found.as.at }
    : isLegacy(found, 'back')
      ? { ...take(found, 'kept before revisions had times, so the oldest'), number: 0, at: LONG_AGO }
      : null;

/**
 * Stock orders LVs by the time in the name. The one that the session was made from was the committed disk until the
 * commit renamed it: it is the newest whatever the clock said (spec: storage 2.5, "clock stepped back").
 */
const inOrder = (revisions: readonly TakenRevision[], session: Found | null): readonly TakenRevision[] => {
  const displaced = ({ disk }: TakenRevision): number => Number(disk.id === session?.disk.origin);
  const sorted = [...revisions].sort((a, b) => displaced(a) - displaced(b) || a.number - b.number || a.at - b.at);
  // Files carry their number; LVs get theirs here.
  return sorted.map((one, index) => (one.number > 0 ? one : { ...one, number: index + 1 }));
};

const namesOf = (found: readonly Found[]): Names => {
  const session = ofKind(found, 'session')[0] ?? null;
  const stamped = found.flatMap((one) => revisionOf(one) ?? []);
  // Two revisions of one time could not both be named: the one without a time stays as it is.
  const twice = stamped.filter(
    ({ at, from }) => from.kind === 'legacy' && stamped.some((one) => one.from.kind !== 'legacy' && one.at <= at),
  );
  return {
    current: ofKind(found, 'current')[0] ?? null,
    session,
    import: ofKind(found, 'import')[0] ?? null,
    tmp: found.find((one) => isLegacy(one, 'tmp')) ?? null,
    revisions: inOrder(
      stamped.filter((one) => !twice.includes(one)),
      session,
    ),
    spare: leftovers(found).filter(
      ({ from }) => from.kind !== 'import' && !(from.kind === 'legacy' && from.as === 'tmp'),
    ),
    untouched: twice.map(({ disk }) => ({ name: disk.name, why: 'another revision is as old as this one can be' })),
  };
};

type Choice = { readonly current: Taken | null; readonly session: Found | null; readonly notes: readonly string[] };

const newest = (revisions: readonly TakenRevision[]): TakenRevision | null =>
  revisions.findLast((one) => !isEmpty(one)) ?? revisions.at(-1) ?? null;

/** Whether a session can be what the missing committed disk was to be replaced by. */
const finishes = ({ disk }: Found, revisions: readonly TakenRevision[]): boolean =>
  disk.usedBytes !== 0 &&
  (disk.origin === null || revisions.length === 0 || revisions.some((one) => one.disk.id === disk.origin));

const fallback = (names: Names, session: Found | null): Choice => {
  const last = newest(names.revisions);
  if (!last) return { current: null, session, notes: [] };
  const why = 'there was no committed disk: the newest revision is it, as for stock Qubes';
  return { current: { ...last, why }, session, notes: [why] };
};

/**
 * The committed disk has no name of its own: stock died inside a commit, an import or a revert. Each time the content
 * that is taken is the one whose arrival stock had begun, and everything else is kept (spec: storage 2.5).
 */
const withoutCurrent = (names: Names): Choice => {
  const { session, tmp, revisions } = names;
  // An import that holds nothing was given up: it has no say about the others.
  const imported = names.import && !isEmpty(names.import) ? names.import : null;
  if (tmp) {
    const why = 'the committed disk under the name an old commit gave it for a moment (qubes-issues 3302)';
    return { current: take(tmp, why), session, notes: [why] };
  }
  if (session && !imported && finishes(session, revisions)) {
    const why = "stock died between a commit's two renames, after the VM had stopped: the commit is finished";
    return { current: take(session, why), session: null, notes: [why] };
  }
  if (imported && !session && revisions.length > 0) {
    const why = "stock died between an import's two renames, after all its data had come: the import is finished";
    return { current: take(imported, why), session: null, notes: [why] };
  }
  return fallback(names, session);
};

const chosen = (names: Names): Choice =>
  names.current ? { current: take(names.current), session: names.session, notes: [] } : withoutCurrent(names);

type Session = { readonly session: Taken | null; readonly trash: readonly Taken[]; readonly notes: readonly string[] };

const sessionOf = ({ session, current }: Choice, spec: VolumeSpec): Session => {
  if (!session) return { session: null, trash: [], notes: [] };
  const emptied = isEmpty(session) && current && !isEmpty(current);
  const because = emptied
    ? 'an empty session beside a disk with data: stock had begun to remove it'
    : spec.rw
      ? null
      : 'the session of a read-only volume, which cannot have changed';
  if (because !== null) return { session: null, trash: [take(session, because)], notes: [because] };
  const stale =
    spec.revisionsToKeep === -1 ? '; it may be older than the committed disk, for the volume runs without' : '';
  const note = `a session that was not committed is kept${stale}`;
  return { session: take(session), trash: [], notes: [note] };
};

const EMPTY_REVISION = 'it holds nothing: emptied by a removal that stock did not finish, or never written';
const EMPTY_CURRENT =
  'the committed disk is empty though older states have data, as after a revert in which stock died';

const restOf = ({ spare, import: imported, tmp }: Names, current: SeenDisk | undefined): readonly Taken[] => [
  ...spare,
  ...leftovers([imported, tmp].flatMap((one) => (one && one.disk !== current ? [one] : []))),
];

/** A volume that is kept at stop: the committed disk, older states, and a session nobody decided about. */
export const sortKept = (found: readonly Found[], spec: VolumeSpec): Sorted => {
  const names = namesOf(found);
  const choice = chosen(names);
  const { current } = choice;
  const session = sessionOf(choice, spec);
  const older = names.revisions.filter(({ disk }) => disk !== current?.disk);
  const revisions = older.filter((one) => !isEmpty(one));
  const empty = older.filter(isEmpty).map((one): Taken => ({ ...one, why: EMPTY_REVISION }));
  const pinned = current !== null && isEmpty(current) && session.session === null && revisions.length > 0;
  return {
    ...NOTHING,
    current,
    revisions,
    session: session.session,
    trash: [...restOf(names, current?.disk), ...session.trash, ...empty],
    untouched: names.untouched,
    notes: [...choice.notes, ...session.notes, ...(pinned ? [EMPTY_CURRENT] : [])],
    pinned,
  };
};
