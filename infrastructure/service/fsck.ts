import { unwritten } from '../../domain/backup/interrupted.ts';
import { type DiskDifference, problemOf } from '../../domain/drift/difference.ts';
import type { Host } from '../../domain/host/host.ts';
import { type Lying, slotOf } from '../../domain/invariants/invariant.ts';
import { INVARIANTS } from '../../domain/invariants/invariants.ts';
import { diskWhereTheLogSays, oneCurrentPerVolume } from '../../domain/invariants/place.ts';
import { checkResting } from '../../domain/invariants/rest.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { type Vm, volumesOf } from '../../domain/vm/vm.ts';
import { disksOf } from '../../domain/volume/disks.ts';
import { placeOf } from '../../domain/volume/swap.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Sighting, VolumeDriver } from '../drivers/driver.port.ts';
import { type Compared, compareStorage, differencesIn, type Stranger, type UnseenPool } from './compare-storage.ts';
import { type Offers, offersFor } from './drift-offers.ts';

/**
 * One line of a check. `problem` null: fine. `position`: the event that explains the object. `repair`: what to type.
 * `note`: nothing is wrong, but somebody has something to decide.
 */
export type Finding = {
  readonly object: string;
  readonly kind:
    | 'volume'
    | 'trash'
    | 'leftover'
    | 'foreign'
    | 'operation'
    | 'pool'
    | 'invariant'
    | 'firewall'
    | 'document'
    | 'lvm';
  readonly problem: string | null;
  readonly position: number | null;
  readonly repair: string | null;
  readonly note?: string;
};

/** The choice that a session without its VM leaves. */
export const undecided = (key: string): string =>
  `a session that was not committed: domtrail volume commit ${key} keeps it, domtrail volume discard ${key} throws it away`;

type OffersFor = (difference: DiskDifference) => Offers;

/** How a disk that the log expects is called, and the event that explains it. */
export const subjectOf = ({ expected, position }: Compared): Pick<Finding, 'object' | 'kind' | 'position'> => ({
  object: `${expected.object} ${expected.name}`,
  kind: expected.kind,
  position,
});

/** What mends a difference: the log's word made true again, else the other way round. */
const mending = ({ repair, adopt }: Offers): string | null => repair ?? adopt;

const findingOf = (one: Compared, offers: OffersFor): Finding => {
  const { expected, undecided: open, difference } = one;
  const base = subjectOf(one);
  if (difference) return { ...base, problem: problemOf(difference), repair: mending(offers(difference)) };
  return { ...base, problem: null, repair: null, ...(open ? { note: undecided(expected.object) } : {}) };
};

/** A disk that the log does not expect: ours from a step of an unfinished command, ours without one, or somebody else's. */
const strangerFinding = ({ seen, claimed, difference }: Stranger, host: Host, offers: OffersFor): Finding => {
  const note = claimed === null ? {} : { note: `${claimed} has no disk: domtrail adopt --storage --plan` };
  const base = { object: seen.name, position: null, ...note };
  if (!seen.madeBy || !difference) return { ...base, kind: 'foreign', problem: null, repair: null };
  const position = host.operations.get(seen.madeBy.command)?.position ?? null;
  return { ...base, kind: 'leftover', problem: problemOf(difference), position, repair: mending(offers(difference)) };
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

type LyingOf = (volume: Volume) => readonly Lying[] | null;

const broken = (host: Host, vms: readonly Vm[], lying: LyingOf): readonly Finding[] =>
  vms.flatMap((vm) => {
    const found = checkResting(host, vm.name, AT_REST, lying);
    return found === 'held'
      ? []
      : found.map(({ invariant, object, says }): Finding => {
          const problem = `${invariant}: ${says}`;
          return { object, kind: 'invariant', problem, position: null, repair: `domtrail bisect run -- ${invariant}` };
        });
  });

/** The named invariants, held against what was seen in the pools. */
const brokenHere = (host: Host, seen: ReadonlyMap<string, Seen>): readonly Finding[] =>
  broken(host, [...host.vms.values()].filter(isAdopted), (volume) => {
    const pool = seen.get(volume.spec.pool);
    return pool ? lyingOf(volume, pool) : null;
  });

const operations = (host: Host): readonly Finding[] =>
  [...host.operations.values()].map((operation) => {
    const { command, name, position } = operation;
    const repair = unwritten(operation) ? `domtrail backup resume ${command}` : 'domtrail recover';
    return { object: `cmd:${command}`, kind: 'operation', problem: `${name} is unfinished`, position, repair };
  });

export const unseenFinding = ({ pool, failure: { message } }: UnseenPool): Finding => ({
  object: pool.name,
  kind: 'pool',
  problem: message,
  position: null,
  repair: null,
});

/**
 * Compares what the log says with what each pool has, disk by disk, by identity, and holds the named invariants against
 * it. Changes nothing. Disks of others are listed without a problem: they are none of ours.
 */
export const checkHost = async (host: Host, driverFor: (pool: Pool) => VolumeDriver): Promise<readonly Finding[]> => {
  const findings: Finding[] = [...operations(host)];
  const seen = new Map<string, Seen>();
  const pools = await compareStorage(host, driverFor);
  const all = differencesIn(pools);
  const offers: OffersFor = (difference) => offersFor(host, difference, all);
  for (const one of pools) {
    if ('failure' in one) findings.push(unseenFinding(one));
    else {
      seen.set(one.pool.name, one);
      findings.push(...one.compared.map((each) => findingOf(each, offers)));
      findings.push(...one.strangers.map((each) => strangerFinding(each, host, offers)));
    }
  }
  return [...findings, ...brokenHere(host, seen)];
};

/** What the log alone tells of a state of the past: the disks of then are not there to be looked at. */
export const checkPast = (host: Host): readonly Finding[] => [
  ...operations(host),
  ...[...host.vms.values()].flatMap(volumesOf).flatMap((volume): readonly Finding[] => {
    const { key } = volume.spec;
    const open = {
      object: key,
      kind: 'volume',
      problem: null,
      position: null,
      repair: null,
      note: undecided(key),
    } as const;
    return volume.situation.is === 'dirty' ? [open] : [];
  }),
  ...broken(host, [...host.vms.values()], () => null),
];
