import type { DomainEvent, Recorded } from '../../domain/event.ts';

/** What befell a state: the host died under it, it was taken up again after that, a recovery finished the command. */
export type Mark = { readonly is: 'crash' | 'resumed' | 'recovered'; readonly position: number };

/** Where a volume did not simply go on from the state it had: people say it went back in time. */
export type Turn = {
  readonly is: 'reverted' | 'imported' | 'cloned' | 'discarded' | 'replaced';
  readonly position: number;
  /** the state it brought, or the session that was thrown away */
  readonly disk: string | null;
  /** what it went to: a revision, a file, another volume, the name of the disk found there */
  readonly to: string | null;
};

export type Past = { readonly marks: ReadonlyMap<string, readonly Mark[]>; readonly turns: readonly Turn[] };

type Walk = {
  session: string | null;
  had: boolean;
  readonly marks: Map<string, Mark[]>;
  readonly turns: Turn[];
};

const mark = ({ marks }: Walk, disk: string | null, is: Mark['is'], position: number): void => {
  if (disk === null) return;
  marks.set(disk, [...(marks.get(disk) ?? []), { is, position }]);
};

const renamed = ({ marks }: Walk, was: string, now: string): void => {
  const known = marks.get(was);
  if (known && marks.delete(was)) marks.set(now, known);
};

const followSession = (walk: Walk, event: DomainEvent, position: number): void => {
  switch (event.type) {
    case 'SessionOpened':
      walk.session = event.session.disk.id;
      return;
    case 'DiskAdopted':
      if (event.as.is === 'session') walk.session = event.disk.id;
      return;
    case 'SessionLeft':
      mark(walk, walk.session, 'crash', position);
      return;
    case 'SessionResumed':
      mark(walk, walk.session, 'resumed', position);
      return;
    case 'SessionDiscarded':
      if (walk.had) walk.turns.push({ is: 'discarded', position, disk: walk.session, to: null });
      walk.session = null;
      return;
    case 'VolumeReturned':
      walk.session = event.session?.disk.id ?? null;
      return;
    case 'VolumeReidentified':
      for (const { was, now } of event.disks) renamed(walk, was, now);
      return;
    case 'VolumeRemoved':
      walk.session = null;
      walk.had = false;
      return;
    default:
  }
};

const turnOf = (event: DomainEvent, position: number): Turn | null => {
  switch (event.type) {
    case 'VolumeReverted':
      return { is: 'reverted', position, disk: event.current.id, to: event.to };
    case 'VolumeImported':
      return { is: 'imported', position, disk: event.current.id, to: event.from };
    case 'VolumeCloned':
      return { is: 'cloned', position, disk: event.current.id, to: event.from };
    case 'DisksAccepted':
      return { is: 'replaced', position, disk: event.disks[0]?.disk.id ?? null, to: event.disks[0]?.name ?? null };
    default:
      return null;
  }
};

const HAS_CONTENT: ReadonlySet<string> = new Set([
  'VolumeProvisioned',
  'VolumeRestored',
  'SessionCommitted',
  'SessionCheckpointed',
  'VolumeReverted',
  'VolumeImported',
  'VolumeCloned',
  'VolumeReturned',
]);

const hasContent = (event: DomainEvent): boolean =>
  HAS_CONTENT.has(event.type) || (event.type === 'DiskAdopted' && event.as.is === 'current');

/** Reads what befell a volume from its facts, oldest first. `resumed`: commands that a recovery finished. */
export const pastOf = (facts: Iterable<Recorded>, resumed: ReadonlySet<string> = new Set()): Past => {
  const walk: Walk = { session: null, had: false, marks: new Map(), turns: [] };
  for (const { event, position, command } of facts) {
    followSession(walk, event, position);
    const turn = walk.had ? turnOf(event, position) : null;
    if (turn) walk.turns.push(turn);
    if ('current' in event && resumed.has(command)) mark(walk, event.current?.id ?? null, 'recovered', position);
    if (hasContent(event)) walk.had = true;
  }
  return { marks: walk.marks, turns: walk.turns };
};
