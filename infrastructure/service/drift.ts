import { type DiskDifference, nameOf, objectOf, problemOf } from '../../domain/drift/difference.ts';
import { fingerprintOf } from '../../domain/drift/fingerprint.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { shellWord } from '../cli/shell-word.ts';
import type { VolumeDriver } from '../drivers/driver.port.ts';
import { type ComparedPool, compareStorage, differencesIn, type Stranger } from './compare-storage.ts';
import { type Offers, offersFor } from './drift-offers.ts';
import { type Finding, subjectOf, unseenFinding } from './fsck.ts';

/**
 * A difference between the log and the world, and how it can be answered. `adopt`, `repair`, `ignore`: what to type, null
 * where there is no such answer. `ignored`: the answer it got already.
 */
export type Drift = Omit<Finding, 'note'> &
  Offers & {
    readonly problem: string;
    /** what kind of difference: `gone`, `renamed`, `edited` ... */
    readonly difference: string;
    /** what `drift adopt` and the others call it */
    readonly name: string;
    /** the VM or volume it is about, where there is one */
    readonly about: string | null;
    readonly fingerprint: string;
    /** the identity of the disk it is about */
    readonly disk?: string;
    readonly ignore: string;
    readonly ignored: { readonly position: number; readonly reason: string } | null;
    /** what somebody else did, as LVM's own archive says */
    readonly by?: { readonly time: string; readonly commandLine: string };
    /** more about it, a line each */
    readonly details?: readonly string[];
  };

/** A difference before it is known how it was answered. */
export type Offered = Omit<Drift, 'ignore' | 'ignored'>;

type DiskFinding = Pick<Finding, 'object' | 'kind' | 'position'>;
type OffersFor = (difference: DiskDifference) => Offers;

const ofDisk = (difference: DiskDifference, { object, kind, position }: DiskFinding, offers: OffersFor): Offered => ({
  object,
  kind,
  position,
  problem: problemOf(difference),
  difference: difference.is,
  name: nameOf(difference),
  about: objectOf(difference),
  fingerprint: fingerprintOf(difference),
  disk: difference.is === 'unknown' ? difference.seen.id : difference.expected.disk.id,
  ...offers(difference),
});

const ofStranger = ({ seen, difference }: Stranger, offers: OffersFor): readonly Offered[] => {
  if (!difference) return [];
  const kind = difference.madeBy === null ? 'foreign' : 'leftover';
  return [ofDisk(difference, { object: seen.name, kind, position: null }, offers)];
};

const inPool = ({ compared, strangers }: ComparedPool, offers: OffersFor): readonly Offered[] => [
  ...compared.flatMap((one) => (one.difference ? [ofDisk(one.difference, subjectOf(one), offers)] : [])),
  ...strangers.flatMap((one) => ofStranger(one, offers)),
];

/** Where the pools differ from the log. */
export const storageDrift = async (
  host: Host,
  driverFor: (pool: Pool) => VolumeDriver,
): Promise<readonly Offered[]> => {
  const pools = await compareStorage(host, driverFor);
  const all = differencesIn(pools);
  return pools.flatMap((one) => {
    if (!('failure' in one)) return inPool(one, (difference) => offersFor(host, difference, all));
    const { message } = one.failure;
    const { object, kind, position } = unseenFinding(one);
    const base = { object, kind, position, problem: message, difference: 'unseen', name: object, about: null };
    return [{ ...base, fingerprint: message, adopt: null, repair: null }];
  });
};

/** With the answers that the log has. One counts as long as the difference is the same. */
export const answered = (host: Host, found: readonly Offered[]): readonly Drift[] =>
  found.map((one) => {
    const answer = host.answers.get(one.name);
    const ignored = answer?.is === 'ignored' && answer.fingerprint === one.fingerprint ? answer : null;
    return {
      ...one,
      ignore: `domtrail drift ignore ${shellWord(one.name)} -m REASON`,
      ignored: ignored && { position: ignored.position, reason: ignored.reason },
    };
  });
