import type { Command } from '../../domain/decide.ts';
import { decide } from '../../domain/decide.ts';
import type { Context } from '../../domain/decision.ts';
import type { DiskDifference } from '../../domain/drift/difference.ts';
import { nameOf } from '../../domain/drift/difference.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Host } from '../../domain/host/host.ts';
import type { Pool } from '../../domain/pool/pool.ts';
import { shellWord } from '../cli/shell-word.ts';

/** What to type about a difference; null where nothing helps. */
export type Offers = { readonly adopt: string | null; readonly repair: string | null };

const contextFor = (host: Host, drift: readonly DiskDifference[]): Context => ({
  now: 0,
  position: host.position + 1,
  bootId: '',
  uuid: '',
  open: [],
  drift,
});

/** A name that no volume's disk has, and that no survey takes for one. */
const aside = (name: string): string => `${name}.aside`;

/** A disk of somebody else is moved by hand or not at all. */
const moveAside = (pool: Pool | undefined, name: string): string | null => {
  if (pool?.driver === 'lvm_thin') return `lvm lvrename ${shellWord(name)} ${shellWord(aside(name))}`;
  if (pool?.driver !== 'file-reflink') return null;
  const path = `${pool.dir}/${name}`;
  return `mv -nT -- ${shellWord(path)} ${shellWord(aside(path))}`;
};

/** The name of a disk of somebody else that lies where one of ours belongs, and ours is still there. */
const inTheWay = (difference: DiskDifference, host: Host): string | null => {
  if (difference.is === 'unknown') {
    const open = difference.madeBy !== null && host.operations.has(difference.madeBy);
    return open || difference.object === null || difference.seen.open ? null : difference.seen.name;
  }
  return difference.is === 'replaced' && difference.seen ? difference.there.name : null;
};

const poolOf = (difference: DiskDifference, host: Host): Pool | undefined =>
  host.pools.get((difference.is === 'unknown' ? difference.pool : difference.expected.place.pool) as Pool['name']);

const commandIn = (refused: Failure, start: string): string | null =>
  refused.next?.startsWith(start) ? refused.next : null;

const RECOVER = 'domtrail recover';

/**
 * What can be offered about one difference: the very decisions are asked, so that whatever is offered is also accepted
 * when it is typed.
 */
export const offersFor = (host: Host, difference: DiskDifference, all: readonly DiskDifference[]): Offers => {
  const context = contextFor(host, all);
  const names = [nameOf(difference)];
  const asked = (name: 'AdoptDrift' | 'RepairDrift') => decide(host, { name, payload: { names } } as Command, context);
  const [adopt, repair] = [asked('AdoptDrift'), asked('RepairDrift')];
  const made = difference.is === 'unknown' && difference.madeBy !== null && host.operations.has(difference.madeBy);
  if (made || [adopt, repair].some((one) => !one.ok && one.error.code === 'D_BUSY'))
    return { adopt: null, repair: RECOVER };
  const stranger = inTheWay(difference, host);
  const byHand = stranger === null ? null : moveAside(poolOf(difference, host), stranger);
  const word = shellWord(names[0] ?? '');
  return {
    adopt: adopt.ok ? `domtrail drift adopt ${word}` : commandIn(adopt.error, 'domtrail adopt'),
    repair: repair.ok ? `domtrail drift repair ${word}` : (commandIn(repair.error, 'domtrail') ?? byHand),
  };
};
