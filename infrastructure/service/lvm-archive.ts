import type { LvmTestimony, TestimonyFact } from '../../domain/adoption/testimony.ts';
import type { Recorded } from '../../domain/event.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { VolumeKey } from '../../domain/names.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { ok, type Result } from '../../domain/result.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { namedInLvm } from '../drivers/lvm-thin/names.ts';
import { type Ledger, statement } from '../ledger/ledger.ts';
import { decode, EVENT_COLUMNS, type EventRow } from '../ledger/rows.ts';
import { type Archive, readArchive } from '../lvm-history/read-archive.ts';
import { actsUpTo, commandsKnown, knownSince } from './acts.ts';
import { harmless, keptLine, type Log, notOurs, type Told, testimonyKey } from './testimony.ts';

/** Where LVM keeps what it wrote down. */
export type Dirs = { readonly archive: string; readonly backup: string };

type LvmPool = Extract<Pool, { driver: 'lvm_thin' }>;

/** A volume group of the log: its archive, and what the log knows of it. `pool`: one of its pools. */
export type ArchivedGroup = {
  readonly group: string;
  readonly pool: LvmPool;
  readonly archive: Archive;
  readonly log: Log;
};

const IN_POOL = `SELECT ${EVENT_COLUMNS} FROM events WHERE stream = ? AND type = 'LvmTestified' AND position <= ? ORDER BY version`;

/** What the log has of LVM's archives, as it was recorded. The streams of pools are short. */
export const testimonyInLog = (ledger: Ledger, host: Host, to: number): readonly Recorded<TestimonyFact>[] =>
  [...host.pools.values()]
    .filter(({ driver }) => driver === 'lvm_thin')
    .flatMap(({ name }) => (statement(ledger, IN_POOL).raw().all(`pool/${name}`, to) as EventRow[]).map(decode))
    .filter((one): one is Recorded<TestimonyFact> => one.event.type === 'LvmTestified');

const testifiedIn = (told: readonly Recorded<TestimonyFact>[], group: string): ReadonlyMap<string, number> =>
  new Map(
    told.filter(({ event }) => event.group === group).map(({ event, position }) => [testimonyKey(event), position]),
  );

const poolsByGroup = (host: Host): ReadonlyMap<string, readonly LvmPool[]> => {
  const groups = new Map<string, LvmPool[]>();
  for (const pool of host.pools.values()) {
    if (pool.driver === 'lvm_thin') groups.set(pool.volumeGroup, [...(groups.get(pool.volumeGroup) ?? []), pool]);
  }
  return groups;
};

/** Every volume group of the log with its archive. D_BAD_INPUT where a directory cannot be read. */
export const archivedGroups = async (
  ledger: Ledger,
  host: Host,
  dirs: Dirs,
): Promise<Result<readonly ArchivedGroup[], Failure>> => {
  const groups = poolsByGroup(host);
  if (groups.size === 0) return ok([]);
  const { position } = host;
  const acts = actsUpTo(ledger, position);
  const commands = commandsKnown(ledger, position);
  const told = testimonyInLog(ledger, host, position);
  const found: ArchivedGroup[] = [];
  for (const [group, pools] of groups) {
    const archive = await readArchive(dirs, group);
    if (!archive.ok) return archive;
    const log: Log = {
      acts: acts.filter((act) => act.group === group),
      commands,
      since: Math.min(...pools.map(({ name }) => knownSince(ledger, name))),
      testified: testifiedIn(told, group),
    };
    const [pool] = pools;
    if (pool) found.push({ group, pool, archive: archive.value, log });
  }
  return ok(found);
};

const LONGEST_NAME = 300;
const MOST_LVS = 10_000;

const volumesNamed = (host: Host): ReadonlyMap<string, VolumeKey> =>
  new Map([...host.vms.values()].flatMap(volumesOf).map(({ spec }) => [spec.vid, spec.key]));

const testimonyOf = (group: string, told: Told, volumes: ReadonlyMap<string, VolumeKey>): LvmTestimony => {
  const named = <T extends { readonly id: string; readonly name: string }>(lvs: readonly T[]) =>
    lvs.slice(0, MOST_LVS).map(({ id, name }) => ({ id: harmless(id, 64), name: harmless(name, LONGEST_NAME) }));
  const made = named(told.changed.made);
  const gone = named(told.changed.gone);
  const renamed = told.changed.renamed.slice(0, MOST_LVS).map(({ id, was, now }) => ({
    id: harmless(id, 64),
    was: harmless(was, LONGEST_NAME),
    now: harmless(now, LONGEST_NAME),
  }));
  const names = [...[...made, ...gone].map(({ name }) => name), ...renamed.flatMap(({ was, now }) => [was, now])];
  return {
    group,
    seqno: told.seqno,
    time: told.time,
    host: harmless(told.host, 256),
    commandLine: keptLine(told.commandLine),
    made,
    gone,
    renamed,
    volumes: [...new Set(names.flatMap((name) => volumes.get(namedInLvm(name)?.vid ?? '') ?? []))],
  };
};

/** What the log does not have yet of a group's archive, oldest first. `ofOld`: only what is older than the log's own first step. */
export const newTestimony = (
  host: Host,
  { group, archive, log }: ArchivedGroup,
  ofOld: boolean,
): readonly LvmTestimony[] => {
  const volumes = volumesNamed(host);
  return notOurs(archive, log, ofOld).map((told) => testimonyOf(group, told, volumes));
};
