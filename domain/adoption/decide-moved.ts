import type { Hold } from '../command/events.ts';
import type { Context, Decision } from '../decision.ts';
import type { DiskId } from '../disk.ts';
import { type Failure, failure } from '../failure.ts';
import { holdVm } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import type { Pool } from '../pool/pool.ts';
import { err, ok, type Result } from '../result.ts';
import { volumesOf } from '../vm/vm.ts';
import { disksOf } from '../volume/disks.ts';
import { findPool } from '../volume/find.ts';
import type { Volume } from '../volume/volume.ts';
import type { AdoptMoved } from './commands.ts';
import type { Renamed } from './events.ts';
import { doubt, type Expected, liesAt, type Witness } from './proof.ts';
import type { SeenDisk } from './seen.ts';

const ofVolume = (volume: Volume): readonly Expected[] =>
  disksOf(volume).map(({ disk, role }) => ({
    object: volume.spec.key,
    disk,
    vid: volume.spec.vid,
    role,
    mayChange: role.kind !== 'current' && role.kind !== 'revision',
  }));

const expectedIn = (host: Host, pool: string): readonly Expected[] => [
  ...[...host.vms.values()]
    .flatMap(volumesOf)
    .filter(({ spec }) => spec.pool === pool)
    .flatMap(ofVolume),
  ...[...host.trash.values()]
    .filter(({ place }) => place.pool === pool)
    .map(({ disk, place, from }) => ({ object: from, disk, vid: place.vid, role: place.role, mayChange: false })),
];

type Compared = { readonly renamed: readonly Renamed[]; readonly doubts: readonly string[] };

const compare = (expected: readonly Expected[], seen: readonly SeenDisk[], witness: Witness): Compared => {
  const renamed: Renamed[] = [];
  const doubts: string[] = [];
  const taken = new Set<DiskId>();
  for (const one of expected) {
    const there = seen.find((disk) => liesAt(disk, one));
    const why = there ? doubt(there, one, witness) : 'its file is not there';
    const name = there?.name ?? `${one.object} (${one.role.kind})`;
    if (!there || why !== null) doubts.push(`${name}: ${why}`);
    else if (taken.has(there.id)) doubts.push(`${name}: it is the same file as another disk`);
    else renamed.push({ was: one.disk.id, now: there.id });
    if (there) taken.add(there.id);
  }
  return { renamed, doubts };
};

const NEXT = 'copy the whole home again with its times (cp -a, rsync -a), with no VM running   or   domtrail fsck';

const notProven = (message: string, doubts: readonly string[]): Failure =>
  failure('D_NOT_PROVEN', message, {
    cause: `${doubts.slice(0, 3).join('; ')}${doubts.length > 3 ? `; and ${doubts.length - 3} more` : ''}`,
    next: NEXT,
  });

/** The new identities of one pool's disks: all of them, or none when nothing moved. Never some. */
const movedIn = (host: Host, pool: string, context: Context): Result<readonly Renamed[], Failure> => {
  const seen = context.storage?.find((one) => one.pool === pool)?.disks;
  if (!seen || !context.witness) return err(failure('D_BAD_INPUT', 'an adoption needs a look at the pools'));
  const expected = expectedIn(host, pool);
  const there = new Set(seen.map(({ id }) => id));
  const lost = expected.filter(({ disk }) => !there.has(disk.id));
  if (lost.length === 0) return ok([]);
  if (lost.length < expected.length) {
    const message = `${lost.length} of ${expected.length} disks of pool ${pool} have other identities: that is no move, somebody exchanged files`;
    return err(
      notProven(
        message,
        lost.map(({ object, role }) => `${object} (${role.kind})`),
      ),
    );
  }
  const { renamed, doubts } = compare(expected, seen, context.witness);
  if (doubts.length === 0) return ok(renamed);
  const message = `${doubts.length} of ${expected.length} disks of pool ${pool} cannot be proven to be those the log knows`;
  return err(notProven(message, doubts));
};

const idsIn = (volume: Volume): readonly DiskId[] => {
  const { situation } = volume;
  const origin = 'session' in situation ? situation.session.origin : null;
  return [...disksOf(volume).map(({ disk }) => disk.id), ...(origin === null ? [] : [origin])];
};

const recordNewIds = (host: Host, renamed: readonly Renamed[], builder: PlanBuilder): readonly Hold[] => {
  const now = new Map(renamed.map((one) => [one.was, one.now]));
  const holds: Hold[] = [];
  for (const vm of host.vms.values()) {
    const before = builder.size();
    for (const volume of volumesOf(vm)) {
      const ids = new Set(idsIn(volume));
      const disks = renamed.filter(({ was }) => ids.has(was));
      if (disks.length > 0) builder.fact({ type: 'VolumeReidentified', volume: volume.spec.key, disks });
    }
    if (builder.size() > before) holds.push(...holdVm(vm));
  }
  for (const { disk, place, from, why } of host.trash.values()) {
    const id = now.get(disk.id);
    if (id === undefined) continue;
    builder.fact({ type: 'TrashReidentified', disk: disk.id, now: id, from });
    builder.fact({ type: 'DiskTrashed', disk: { ...disk, id }, place, from, why });
  }
  return holds;
};

const movedPools = (host: Host, { pool }: AdoptMoved): readonly Pool[] =>
  [...host.pools.values()].filter(({ name, driver }) => driver === 'file-reflink' && (pool === null || pool === name));

/** Takes the files of a copied or restored home for the disks the log knows, when every one of them is proven. */
export const decideAdoptMoved = (host: Host, payload: AdoptMoved, context: Context): Decision => {
  const wanted = payload.pool === null ? null : findPool(host, payload.pool);
  if (wanted && !wanted.ok) return wanted;
  const [open] = host.operations.values();
  if (open) {
    return err(
      failure('D_BUSY', `${open.name} is unfinished, and its steps speak of the old disks`, { holder: open.command }),
    );
  }
  const builder = planBuilder(context.position);
  for (const { pool: name, dir } of payload.dirs) {
    const pool = findPool(host, name);
    if (!pool.ok) return pool;
    if (pool.value.driver === 'lvm_thin' || pool.value.dir === dir) continue;
    builder.fact({ type: 'PoolMoved', pool: name, from: pool.value.dir, to: dir });
  }
  const renamed: Renamed[] = [];
  for (const { name } of movedPools(host, payload)) {
    const moved = movedIn(host, name, context);
    if (!moved.ok) return moved;
    renamed.push(...moved.value);
  }
  const holds = recordNewIds(host, renamed, builder);
  return ok({ plan: builder.build(), holds });
};
