import { matchDisks } from '../../domain/adoption/match.ts';
import type { SeenDisk } from '../../domain/adoption/seen.ts';
import type { DiskDifference, Expected } from '../../domain/drift/difference.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Sighting, VolumeDriver } from '../drivers/driver.port.ts';
import { type Look, lookOf, whereIs } from '../runner/judge.ts';
import { seenDisk } from './observe.ts';

/** A disk the log expects, and what is not as it says. `position`: the event that explains it, where the state knows it. */
export type Compared = {
  readonly expected: Expected;
  readonly position: number | null;
  /** the host died under this session, and nobody has decided yet */
  readonly undecided: boolean;
  readonly difference: DiskDifference | null;
};

/**
 * A disk that the log does not expect. `claimed`: the volume without a disk that an adoption would give it to.
 * `difference` null: its name says nothing about a volume of ours, and it has no marks of ours.
 */
export type Stranger = {
  readonly seen: Sighting;
  readonly claimed: string | null;
  readonly difference: Extract<DiskDifference, { is: 'unknown' }> | null;
};

export type ComparedPool = {
  readonly pool: Pool;
  readonly driver: VolumeDriver;
  readonly sightings: readonly Sighting[];
  readonly compared: readonly Compared[];
  readonly strangers: readonly Stranger[];
};

/** A pool that cannot be seen: nothing is concluded about its disks. */
export type UnseenPool = { readonly pool: Pool; readonly failure: Failure };

type Wanted = Omit<Compared, 'difference'>;

const expectedOf = (volume: Volume, driver: VolumeDriver): readonly Wanted[] =>
  disksOf(volume).map(({ disk, role }) => {
    const place = placeOf(volume, role);
    const { key } = volume.spec;
    return {
      expected: { object: key, kind: 'volume', disk, place, name: driver.nameOf(place) },
      position: volume.revisions.find((revision) => revision.disk.id === disk.id)?.position ?? null,
      undecided: role.kind === 'session' && volume.situation.is === 'dirty',
    };
  });

const expectedIn = (host: Host, pool: Pool, driver: VolumeDriver): readonly Wanted[] => [
  ...[...host.vms.values()]
    .flatMap(volumesOf)
    .filter(({ spec }) => spec.pool === pool.name)
    .flatMap((volume) => expectedOf(volume, driver)),
  ...[...host.trash.values()]
    .filter(({ place }) => place.pool === pool.name)
    .map(({ disk, place, from, position }): Wanted => {
      const expected: Expected = { object: from, kind: 'trash', disk, place, name: driver.nameOf(place) };
      return { expected, position, undecided: false };
    }),
];

const differenceOf = (expected: Expected, look: Look, driver: VolumeDriver): DiskDifference | null => {
  const { disk, name } = expected;
  const found = whereIs(disk.id, name, look);
  const seen = found ? seenDisk(driver, found) : null;
  if (seen?.name === name) {
    if (!seen.usable) return { is: 'unusable', expected, seen };
    return seen.bytes === disk.bytes ? null : { is: 'resized', expected, seen };
  }
  const other = look.byName.get(name);
  if (other) return { is: 'replaced', expected, there: seenDisk(driver, other), seen };
  return seen ? { is: 'renamed', expected, seen } : { is: 'gone', expected };
};

/** The volumes whose names the disks have; none of a VM whose name only begins alike. */
const ownersOf = (host: Host, pool: Pool, disks: readonly SeenDisk[]): ReadonlyMap<string, Volume> => {
  const owners = new Map<string, Volume>();
  for (const [volume, found] of matchDisks(host, [{ pool: pool.name, disks }]).found) {
    for (const { disk } of found) owners.set(disk.name, volume);
  }
  return owners;
};

const hasNone = ({ spec, situation, revisions }: Volume): boolean =>
  spec.saveOnStop && situation.is === 'absent' && revisions.length === 0;

const strangersIn = (host: Host, pool: Pool, driver: VolumeDriver, found: readonly Sighting[]): readonly Stranger[] => {
  const disks = new Map(found.map((one) => [one, seenDisk(driver, one)]));
  const owners = ownersOf(host, pool, [...disks.values()]);
  return [...disks].map(([sighting, seen]) => {
    const owner = owners.get(seen.name);
    const madeBy = sighting.madeBy?.command ?? null;
    const object = owner?.spec.key ?? null;
    const claimed = owner && hasNone(owner) ? owner.spec.key : null;
    if (object === null && madeBy === null) return { seen: sighting, claimed, difference: null };
    return { seen: sighting, claimed, difference: { is: 'unknown', pool: pool.name, object, seen, madeBy } };
  });
};

/** What lies in the place of a disk of the log is told with that disk, and not a second time. */
const withoutReplacing = (compared: readonly Compared[], strangers: readonly Stranger[]): readonly Stranger[] => {
  const replacing = new Set(
    compared.flatMap(({ difference }) => (difference?.is === 'replaced' ? [difference.there.id] : [])),
  );
  return strangers.map((one) => (replacing.has(one.seen.id) ? { ...one, difference: null } : one));
};

const comparePool = async (host: Host, pool: Pool, driver: VolumeDriver): Promise<ComparedPool | UnseenPool> => {
  const survey = await driver.survey();
  if (!survey.ok) return { pool, failure: survey.error };
  const sightings = survey.value;
  const look = lookOf(sightings);
  const wanted = expectedIn(host, pool, driver);
  const known = new Set(wanted.map(({ expected }) => expected.disk.id));
  const compared = wanted.map((one) => ({ ...one, difference: differenceOf(one.expected, look, driver) }));
  const strangers = strangersIn(
    host,
    pool,
    driver,
    sightings.filter(({ id }) => !known.has(id)),
  );
  return { pool, driver, sightings, compared, strangers: withoutReplacing(compared, strangers) };
};

/** Holds what the log says against what each pool has, disk by disk, by identity and never by name alone. Changes nothing. */
export const compareStorage = async (
  host: Host,
  driverFor: (pool: Pool) => VolumeDriver,
): Promise<readonly (ComparedPool | UnseenPool)[]> => {
  const pools: (ComparedPool | UnseenPool)[] = [];
  for (const pool of host.pools.values()) {
    if (pool.driver !== 'linux-kernel') pools.push(await comparePool(host, pool, driverFor(pool)));
  }
  return pools;
};

/** Every difference of the pools that could be seen. */
export const differencesIn = (pools: readonly (ComparedPool | UnseenPool)[]): readonly DiskDifference[] =>
  pools.flatMap((one) =>
    'failure' in one ? [] : [...one.compared, ...one.strangers].flatMap(({ difference }) => difference ?? []),
  );
