import { matchDisks } from '../../domain/adoption/match.ts';
import type { SeenDisk } from '../../domain/adoption/seen.ts';
import type { Disk, Place } from '../../domain/disk.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import { type Lying, slotOf } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { diskWhereTheLogSays, oneCurrentPerVolume } from '../../domain/invariants/place.ts';
import { checkResting } from '../../domain/invariants/rest.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { ok, type Result } from '../../domain/result.ts';
import { type Vm, volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Sighting, VolumeDriver } from '../drivers/driver.port.ts';
import { type Look, lookOf, whereIs } from '../runner/judge.ts';
import { seenDisk } from './observe.ts';

/**
 * One line of a check. `problem` null: fine. `position`: the event that explains the object. `repair`: what to type.
 * `note`: nothing is wrong, but somebody has something to decide.
 */
export type Finding = {
  readonly object: string;
  readonly kind: 'volume' | 'trash' | 'leftover' | 'foreign' | 'operation' | 'pool' | 'invariant' | 'firewall';
  readonly problem: string | null;
  readonly position: number | null;
  readonly repair: string | null;
  readonly note?: string;
};

type Expectation = {
  readonly object: string;
  readonly kind: 'volume' | 'trash';
  readonly disk: Disk;
  readonly place: Place;
  readonly position: number | null;
  readonly note?: string;
};

/** The choice that a session without its VM leaves. */
export const undecided = (key: string): string =>
  `a session that was not committed: domtrail volume commit ${key} keeps it, domtrail volume discard ${key} throws it away`;

const expectedIn = (host: Host, pool: Pool): readonly Expectation[] => {
  const disks = [...host.vms.values()].flatMap(volumesOf).flatMap((volume) =>
    volume.spec.pool === pool.name
      ? disksOf(volume).map(
          ({ disk, role }): Expectation => ({
            object: volume.spec.key,
            kind: 'volume',
            disk,
            place: placeOf(volume, role),
            position: volume.revisions.find((revision) => revision.disk.id === disk.id)?.position ?? null,
            ...(role.kind === 'session' && volume.situation.is === 'dirty' ? { note: undecided(volume.spec.key) } : {}),
          }),
        )
      : [],
  );
  const trash = [...host.trash.values()].filter(({ place }) => place.pool === pool.name);
  return [
    ...disks,
    ...trash.map(
      ({ disk, place, from, position }): Expectation => ({ object: from, kind: 'trash', disk, place, position }),
    ),
  ];
};

const compare = (expected: Expectation, look: Look, driver: VolumeDriver): Finding => {
  const name = driver.nameOf(expected.place);
  const seen = whereIs(expected.disk.id, name, look);
  const base = { object: `${expected.object} ${name}`, kind: expected.kind, position: expected.position };
  if (seen?.name === name) {
    const problem = seen.usable ? null : 'it is listed but cannot be activated';
    const note = expected.note === undefined ? {} : { note: expected.note };
    return { ...base, problem, repair: problem ? 'domtrail recover' : null, ...note };
  }
  if (seen) return { ...base, problem: `its disk ${expected.disk.id} is now called ${seen.name}`, repair: null };
  const other = look.byName.get(name);
  const problem = other
    ? `another disk (${other.id}) has its name; ${expected.disk.id} is gone`
    : `its disk ${expected.disk.id} is gone`;
  const repair = expected.kind === 'trash' ? 'domtrail gc --all --yes' : null;
  return { ...base, problem, repair };
};

/** Which disks an adoption would take, by their names: those of volumes that have none. */
const claimsOn = (host: Host, pool: Pool, disks: readonly SeenDisk[]): ReadonlyMap<string, string> => {
  const claims = new Map<string, string>();
  for (const [{ spec, situation, revisions }, found] of matchDisks(host, [{ pool: pool.name, disks }]).found) {
    if (!spec.saveOnStop || situation.is !== 'absent' || revisions.length > 0) continue;
    for (const { disk } of found) claims.set(disk.name, `${spec.key} has no disk: domtrail adopt --storage --plan`);
  }
  return claims;
};

/** A disk that the log does not expect: ours from a step of an unfinished command, ours without one, or somebody else's. */
const unexpected = (seen: Sighting, host: Host, claim: string | undefined): Finding => {
  const base = { object: seen.name, position: null, ...(claim === undefined ? {} : { note: claim }) };
  if (!seen.madeBy) return { ...base, kind: 'foreign', problem: null, repair: null };
  const open = host.operations.get(seen.madeBy.command);
  const repair = open ? 'domtrail recover' : null;
  return {
    ...base,
    kind: 'leftover',
    problem: `made by cmd:${seen.madeBy.command}, which the log does not keep`,
    position: open?.position ?? null,
    repair,
  };
};

type Seen = { readonly sightings: readonly Sighting[]; readonly driver: VolumeDriver };

/** Those that compare a volume's disks with the log one by one are told above, with the event and the repair. */
const TOLD_ABOVE: ReadonlySet<string> = new Set([diskWhereTheLogSays.name, oneCurrentPerVolume.name]);
const AT_REST = INVARIANTS.filter(({ name, rest }) => rest && !TOLD_ABOVE.has(name));

/** The disks under a volume's names that are ours: one name can serve several roles, so what the log says comes first. */
const lyingOf = (volume: Volume, { sightings, driver }: Seen): readonly Lying[] => {
  const slots = new Map(
    disksOf(volume).map(({ disk, role }) => [`${disk.id} ${driver.nameOf(placeOf(volume, role))}`, slotOf(role)]),
  );
  return sightings.flatMap(({ id, name, origin, usable, madeBy }) => {
    const named = driver.parseName(name);
    const slot = slots.get(`${id} ${name}`) ?? (madeBy && named?.vid === volume.spec.vid ? named.as.kind : undefined);
    return slot === undefined ? [] : [{ id, slot, origin, usable, erased: false }];
  });
};

/** A VM whose storage nobody adopted yet has disks that the log knows nothing of: that is no breach. */
const isAdopted = (vm: Vm): boolean =>
  volumesOf(vm).every(({ spec, situation }) => !spec.saveOnStop || situation.is !== 'absent');

/** The named invariants, held against what was seen in the pools. */
const broken = (host: Host, seen: ReadonlyMap<string, Seen>): readonly Finding[] =>
  [...host.vms.values()].filter(isAdopted).flatMap((vm) => {
    const found = checkResting(host, vm.name, AT_REST, (volume) => {
      const pool = seen.get(volume.spec.pool);
      return pool ? lyingOf(volume, pool) : null;
    });
    return found === 'held'
      ? []
      : found.map(({ invariant, object, says }): Finding => {
          const problem = `${invariant}: ${says}`;
          return { object, kind: 'invariant', problem, position: null, repair: `domtrail bisect run -- ${invariant}` };
        });
  });

const operations = (host: Host): readonly Finding[] =>
  [...host.operations.values()].map(({ command, name, position }) => ({
    object: `cmd:${command}`,
    kind: 'operation',
    problem: `${name} is unfinished`,
    position,
    repair: 'domtrail recover',
  }));

const checkPool = async (
  host: Host,
  pool: Pool,
  driver: VolumeDriver,
  seen: Map<string, Seen>,
): Promise<Result<readonly Finding[], Failure>> => {
  const sightings = await driver.survey();
  if (!sightings.ok) {
    const { message } = sightings.error;
    return ok([{ object: pool.name, kind: 'pool', problem: message, position: null, repair: null }]);
  }
  seen.set(pool.name, { sightings: sightings.value, driver });
  const look = lookOf(sightings.value);
  const expected = expectedIn(host, pool);
  const known = new Set(expected.map(({ disk }) => disk.id));
  const strangers = sightings.value.filter(({ id }) => !known.has(id));
  const claims = claimsOn(
    host,
    pool,
    strangers.map((seen) => seenDisk(driver, seen)),
  );
  const rest = strangers.map((seen) => unexpected(seen, host, claims.get(seen.name)));
  return ok([...expected.map((one) => compare(one, look, driver)), ...rest]);
};

/**
 * Compares what the log says with what each pool has, disk by disk, by identity. Changes nothing. Disks of others are
 * listed without a problem: they are none of ours.
 */
export const checkHost = async (
  host: Host,
  driverFor: (pool: Pool) => VolumeDriver,
): Promise<Result<readonly Finding[], Failure>> => {
  const findings: Finding[] = [...operations(host)];
  const seen = new Map<string, Seen>();
  for (const pool of host.pools.values()) {
    if (pool.driver === 'linux-kernel') continue;
    const checked = await checkPool(host, pool, driverFor(pool), seen);
    if (!checked.ok) return checked;
    findings.push(...checked.value);
  }
  return ok([...findings, ...broken(host, seen)]);
};
