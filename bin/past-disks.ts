import { evolveOperation, isCommandEvent, type Operation } from '../domain/command/operation.ts';
import type { Recorded } from '../domain/event.ts';
import { evolve } from '../domain/host/host.ts';
import { hostAtBeginning } from '../infrastructure/ledger/beginning.ts';
import type { Ledger } from '../infrastructure/ledger/ledger.ts';
import { emptyShadow } from '../infrastructure/ledger/projections.ts';
import { eventsOfCommand } from '../infrastructure/ledger/queries.ts';
import { commandsNamed, eventsOfStream } from '../infrastructure/ledger/stream-events.ts';
import type { Sql } from '../projections/projection.ts';
import { renameDisks } from '../projections/volumes/disks.ts';
import { broughtIn } from '../projections/volumes/origin.ts';
import { diskById, volumesProjection } from '../projections/volumes/volumes.ts';

const MAKES_VMS = ['VmCreated', 'VmRemoved'];

const byPosition = (a: Recorded, b: Recorded): number => a.position - b.position;

const vmOf = (volume: string): string => volume.slice(0, volume.lastIndexOf(':'));

/** `accepted`: the volumes whose disks were taken over together; `renamed`: what gave disks another identity. */
type Rare = { readonly accepted: readonly (readonly Recorded[])[]; readonly renamed: readonly Recorded[] };

const RARE = new WeakMap<Ledger, Rare>();

const eventsOfCommands = (ledger: Ledger, name: string, types: ReadonlySet<string>): readonly (readonly Recorded[])[] =>
  commandsNamed(ledger, name).map((command) =>
    eventsOfCommand(ledger, command).filter(({ event }) => types.has(event.type)),
  );

/** Few logs have any of these commands, and none has many. */
const rareIn = (ledger: Ledger): Rare => {
  const known = RARE.get(ledger);
  if (known) return known;
  const identities = new Set(['VolumeReidentified', 'TrashReidentified']);
  const rare: Rare = {
    accepted: eventsOfCommands(ledger, 'AdoptDrift', new Set(['DisksAccepted'])),
    renamed: eventsOfCommands(ledger, 'AdoptMoved', identities).flat(),
  };
  RARE.set(ledger, rare);
  return rare;
};

/** The volume, and those whose disks were taken over together with its own: they may have changed places. */
export const relatedTo = (ledger: Ledger, volume: string, upTo: number): ReadonlySet<string> => {
  const related = new Set([volume]);
  const groups = rareIn(ledger).accepted.map((events) =>
    events.flatMap(({ event, position }) => ('volume' in event && position <= upTo ? [event.volume] : [])),
  );
  for (let before = 0; before < related.size; ) {
    before = related.size;
    for (const one of groups.filter((group) => group.some((other) => related.has(other))).flat()) related.add(one);
  }
  return related;
};

/** What gave disks another identity, everywhere: the origin of one may lie in another volume. */
export const renamings = (ledger: Ledger, upTo: number): readonly Recorded[] =>
  rareIn(ledger).renamed.filter(({ position }) => position <= upTo);

const eventsFor = (ledger: Ledger, volumes: ReadonlySet<string>, upTo: number): readonly Recorded[] => [
  ...[...volumes].flatMap((volume) => eventsOfStream(ledger, `volume/${volume}`, upTo)),
  ...[...new Set([...volumes].map(vmOf))].flatMap((vm) => eventsOfStream(ledger, `vm/${vm}`, upTo, MAKES_VMS)),
];

/** The command of an event as it stood before: its plan says which disk was copied from which. */
const operationBehind = (
  ledger: Ledger,
  { command, position }: Recorded,
  begun: Operation | undefined,
): Operation | undefined => {
  let operation = begun;
  for (const recorded of eventsOfCommand(ledger, command, position - 1)) {
    if (isCommandEvent(recorded.event)) operation = evolveOperation(operation, recorded) ?? undefined;
  }
  return operation;
};

/** A disk that is taken over, was there before, and of which the events so far know nothing. */
const isStrange = (ledger: Ledger, sql: Sql, { event, position }: Recorded): boolean =>
  event.type === 'DisksAccepted' &&
  event.disks.some(({ disk }) => {
    const made = diskById(ledger.sql, disk.id)?.made ?? position;
    return made < position && diskById(sql, disk.id) === null;
  });

/** Whether another volume took over a disk of which the events so far know. */
const takesAway = (sql: Sql, { event }: Recorded): boolean =>
  event.type === 'DisksAccepted' && event.disks.some(({ disk }) => diskById(sql, disk.id) !== null);

/**
 * The disks of a volume as they were at a position, from its own events alone and not from a replay of the log. Null where
 * these do not tell everything: a disk came from a volume, or went to one, that had nothing else to do with this one.
 */
export const disksThen = (ledger: Ledger, volume: string, upTo: number): Sql | null => {
  const { sql, prefix, host } = emptyShadow(volumesProjection, hostAtBeginning(ledger));
  const begun = new Map(host.operations);
  const events = eventsFor(ledger, relatedTo(ledger, volume, upTo), upTo);
  const own = new Set(events.map(({ position }) => position));
  const { accepted, renamed } = rareIn(ledger);
  const foreign = [...renamed, ...accepted.flat()].filter(({ position }) => position <= upTo && !own.has(position));
  for (const recorded of [...events, ...foreign].sort(byPosition)) {
    const { event, command, position } = recorded;
    if (own.has(position) ? isStrange(ledger, sql, recorded) : takesAway(sql, recorded)) return null;
    if (!own.has(position)) renameDisks(sql, prefix, event);
    else {
      host.operations.clear();
      const operation = broughtIn(event) ? operationBehind(ledger, recorded, begun.get(command)) : undefined;
      if (operation) host.operations.set(command, operation);
      evolve(host, recorded);
      volumesProjection.apply(sql, prefix, recorded, host);
    }
  }
  return sql;
};
