import type { Recorded } from '../domain/event.ts';
import { type Failure, failure } from '../domain/failure.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { concerns } from '../infrastructure/cli/concerns.ts';
import type { Actor } from '../infrastructure/ledger/accept.ts';
import { type Logged, pageOfEvents, type Which } from '../infrastructure/ledger/event-pages.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { inStep } from '../infrastructure/ledger/projections.ts';
import { eventAt, findCommand } from '../infrastructure/ledger/queries.ts';
import { auditProjection, newestEntries } from '../projections/audit/audit.ts';
import { diskById, volumesProjection } from '../projections/volumes/volumes.ts';
import type { Reading } from './compose.ts';

/** Positions after `after` up to and including `upTo`. */
export type Span = { readonly after: number; readonly upTo: number };

/** Who gave a command, remembered. */
export const actorsOf = (ledger: Ledger): ((command: string) => Actor | null) => {
  const actors = new Map<string, Actor | null>();
  return (command) => {
    const known = actors.get(command);
    if (known !== undefined) return known;
    const found = findCommand(ledger, command);
    const actor = found.ok ? found.value.actor : null;
    actors.set(command, actor);
    return actor;
  };
};

/** An event and who caused it. */
export type Entry = { readonly recorded: Recorded; readonly actor: Actor | null };

const PAGE = 500;

/** Events of one kind, the newest first, read page by page: whoever has enough stops. */
function* newestFirst({ ledger }: Reading, which: Which, { after, upTo }: Span): Generator<Entry> {
  let last = upTo;
  for (;;) {
    const page: readonly Logged[] = pageOfEvents(ledger, which, { after, upTo: last, limit: PAGE, newestFirst: true });
    yield* page;
    const end = page.at(-1);
    if (!end || page.length < PAGE) return;
    last = end.recorded.position - 1;
  }
}

/** What the index knows of an object, the newest first. */
function* indexed({ ledger }: Reading, object: string, { after, upTo }: Span): Generator<Entry> {
  const actorOf = actorsOf(ledger);
  let last = upTo;
  for (;;) {
    const positions = newestEntries(ledger.sql, object, { after, upTo: last, limit: PAGE });
    for (const position of positions) {
      const recorded = eventAt(ledger, position);
      if (recorded) yield { recorded, actor: actorOf(recorded.command) };
    }
    const end = positions.at(-1);
    if (end === undefined || positions.length < PAGE) return;
    last = end - 1;
  }
}

function* only(entries: Iterable<Entry>, object: string): Generator<Entry> {
  const about = concerns(object);
  for (const entry of entries) if (about(entry.recorded)) yield entry;
}

const isKnown = ({ ledger, asOf }: Reading, object: string): boolean =>
  newestEntries(ledger.sql, object, { after: 0, upTo: asOf.position, limit: 1 }).length > 0;

/**
 * The events in a span that concern an object, or all of them, the newest first. A VM, a volume and a disk's id are looked
 * up; a name that nothing keeps an index of is searched for.
 */
export const eventsAbout = (
  reading: Reading,
  object: string | undefined,
  span: Span,
): Result<Iterable<Entry>, Failure> => {
  if (object === undefined) return ok(newestFirst(reading, { by: 'all' }, span));
  if (object.startsWith('cmd:')) {
    const command = findCommand(reading.ledger, object.slice('cmd:'.length));
    return command.ok ? ok(newestFirst(reading, { by: 'command', value: command.value.id }, span)) : command;
  }
  if (object.startsWith('-')) return err(failure('D_USAGE', `${object} is no object`));
  const { ledger } = reading;
  const everything = only(newestFirst(reading, { by: 'all' }, span), object);
  if (!inStep(ledger, auditProjection) || !inStep(ledger, volumesProjection)) return ok(everything);
  for (const known of [object, `pool ${object}`]) if (isKnown(reading, known)) return ok(indexed(reading, known, span));
  const disk = diskById(ledger.sql, object);
  return ok(disk ? only(indexed(reading, disk.volume, span), object) : everything);
};
