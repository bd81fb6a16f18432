import type { Recorded } from '../domain/event.ts';
import { volumeOf } from '../domain/host/host.ts';
import type { VolumeKey } from '../domain/names.ts';
import { currentOf } from '../domain/volume/volume.ts';
import { eventAt, eventsOfCommand, findCommand, type StoredCommand } from '../infrastructure/ledger/queries.ts';
import { auditProjection, newestEntries } from '../projections/audit/audit.ts';
import type { DiskRow } from '../projections/volumes/volumes.ts';
import { type Reading, tablesAt } from './compose.ts';
import { diskNamed, nameInPool, volumeOfName } from './disk-named.ts';
import { diskSeen, disksSeen } from './disks-seen.ts';
import { testimonyAbout } from './testimony-about.ts';

/** One step back towards a person: what is so, the event that made it so, and the command behind the event. */
export type Link = {
  readonly what: string;
  readonly recorded: Recorded;
  readonly command: StoredCommand | null;
  /** what was run for it */
  readonly argv: readonly (readonly string[])[];
};

/** `more`: links of the same kind that were left out; `lineage` shows them all. */
export type Chain = { readonly object: string; readonly links: readonly Link[]; readonly more: boolean };

const commandOf = ({ ledger }: Reading, id: string): StoredCommand | null => {
  const command = findCommand(ledger, id);
  return command.ok ? command.value : null;
};

const linkAt = (reading: Reading, what: string, position: number): readonly Link[] => {
  const recorded = eventAt(reading.ledger, position);
  return recorded ? [{ what, recorded, command: commandOf(reading, recorded.command), argv: [] }] : [];
};

/** The step that made or last moved a disk in a command, with what was run. */
const stepFor = (reading: Reading, command: string, disk: string): Recorded | undefined =>
  eventsOfCommand(reading.ledger, command, reading.asOf.position).findLast(
    ({ event }) => event.type === 'StepDone' && event.disk?.id === disk,
  );

const withArgv = (reading: Reading, link: Link, disk: string): Link => {
  const step = stepFor(reading, link.recorded.command, disk)?.event;
  return step?.type === 'StepDone' ? { ...link, argv: step.evidence.argv } : link;
};

const ROLES: Readonly<Record<string, string>> = {
  current: 'is the committed disk',
  direct: 'is the committed disk, written to by the VM',
  session: 'is what the running VM writes to',
  scratch: 'is the volatile disk of the running VM',
  trash: 'is in the trash',
  gone: 'is erased now; it was a disk',
};

const ENDS: Readonly<Record<string, string>> = {
  lost: 'is lost; it was a disk',
  replaced: 'was replaced by somebody else; it was a disk',
};

const roleOf = ({ role, revision, why }: DiskRow): string =>
  role === 'revision' ? `is revision ${revision ?? ''}`.trim() : (ENDS[why ?? ''] ?? ROLES[role] ?? `is ${role}`);

/** What LVM's archive says of the time before the log, the newest first. */
const testified = (reading: Reading, disk: string): readonly Link[] =>
  testimonyAbout(reading, disk)
    .slice(-TESTIMONIES)
    .toReversed()
    .flatMap(({ position }) => linkAt(reading, "it was there before, as LVM's own archive says", position));

const TESTIMONIES = 3;

const linksOfDisk = (reading: Reading, row: DiskRow): readonly Link[] => {
  const now = row.gone ?? row.changed;
  const state = linkAt(reading, `${row.disk} ${roleOf(row)} of ${row.volume}`, now);
  const thrown =
    row.gone !== null && row.changed < row.gone
      ? linkAt(reading, `it was thrown away (${row.why ?? 'no reason kept'})`, row.changed)
      : [];
  const committed =
    row.committed !== null && row.committed !== now && row.committed !== row.made
      ? linkAt(reading, 'it was committed', row.committed)
      : [];
  const made = row.made === now ? [] : linkAt(reading, 'it was made', row.made);
  const before = row.how === 'DiskAdopted' ? testified(reading, row.disk) : [];
  return [...state, ...thrown, ...committed, ...made, ...before].map((link) => withArgv(reading, link, row.disk));
};

/** From a disk to the disk its content goes on from, and so on, as far as `most` disks. */
const chainOfDisk = (reading: Reading, disk: string, most: number): Omit<Chain, 'object'> => {
  const links: Link[] = [];
  const seen = new Set<string>();
  let next: DiskRow | null = diskSeen(reading, disk);
  while (next && !seen.has(next.disk) && seen.size < most) {
    seen.add(next.disk);
    links.push(...linksOfDisk(reading, next));
    next = next.origin === null ? null : diskSeen(reading, next.origin);
  }
  return { links, more: next !== null && !seen.has(next.disk) };
};

/** Why a VM or anything else the index knows is as it is: the newest event about it, and the one that made it. */
const chainOfObject = (reading: Reading, object: string): readonly Link[] => {
  const sql = tablesAt(reading, auditProjection);
  const [newest] = newestEntries(sql, object, { after: 0, upTo: reading.asOf.position, limit: 1 });
  return newest === undefined ? [] : linkAt(reading, `${object}: the last that happened`, newest);
};

const currentDiskOf = (reading: Reading, key: string): string | null => {
  const volume = volumeOf(reading.host, key as VolumeKey);
  const current = volume && currentOf(volume);
  return current?.id ?? disksSeen(reading, key).at(-1)?.disk ?? null;
};

/** The chain for an object: a disk by id, name or path, `VM:VOLUME`, a VM, `ev:N` or `cmd:ID`. Null: the log knows no such thing. */
export const chainOf = (reading: Reading, text: string, most: number): Chain | null => {
  const event = /^ev:([0-9]{1,15})$/.exec(text);
  if (event) return { object: text, links: linkAt(reading, text, Number(event[1])), more: false };
  if (text.startsWith('cmd:')) {
    const command = commandOf(reading, text.slice('cmd:'.length));
    return command && { object: text, links: linkAt(reading, text, command.outcome.firstPosition), more: false };
  }
  const lies = diskNamed(reading.host, text);
  const row = diskSeen(reading, lies?.disk ?? text);
  const key = row
    ? row.volume
    : text.includes(':')
      ? text
      : volumeOfName(reading.host, tablesAt(reading, auditProjection), text);
  const disk = row?.disk ?? (key === null ? null : currentDiskOf(reading, key));
  if (disk) return { object: text, ...chainOfDisk(reading, disk, most) };
  const known = chainOfObject(reading, key ?? text);
  const links = known.length > 0 ? known : chainOfObject(reading, `lv ${nameInPool(reading.host, text)}`);
  return links.length === 0 ? null : { object: text, links, more: false };
};
