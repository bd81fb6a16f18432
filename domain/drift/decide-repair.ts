import { formatBytes } from '../bytes.ts';
import type { Context, Decide } from '../decision.ts';
import { type Failure, failure } from '../failure.ts';
import { holdName, holdVolume } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import { findRevision } from '../volume/find.ts';
import { all, mustBeHalted, mustBeWritable, mustNotBeDirty, mustSaveOnStop } from '../volume/guards.ts';
import { placeOf, swapIn } from '../volume/swap.ts';
import { type Chosen, chosenFrom, drifted, ownerNamed } from './chosen.ts';
import type { DriftTarget } from './commands.ts';
import { type Expected, type ListedDifference, problemOf } from './difference.ts';
import { evolveDrifted } from './evolve.ts';
import { isAstray, putBack, whyNotPutBack } from './put-back.ts';

type Repairing = { readonly host: Host; readonly context: Context; readonly builder: PlanBuilder };
type Of<K extends ListedDifference['is']> = Extract<ListedDifference, { is: K }>;

const growBack = ({ expected, seen }: Of<'resized'>, { builder }: Repairing): Failure | null => {
  const { disk, place, name, object } = expected;
  if (seen.bytes > disk.bytes)
    return failure('D_SHRINK', `${name} is larger than ${formatBytes(disk.bytes)}: cutting it off could lose data`);
  builder.main(object, { do: 'resize', disk: { id: disk.id }, at: place, bytes: disk.bytes, shrink: false });
  return null;
};

const differs = (id: string, drift: Context['drift'] = []): boolean =>
  drift.some((one) => one.is !== 'unknown' && one.is !== 'resized' && one.expected.disk.id === id);

/** The newest older state takes the place of a committed disk that is no more. */
const bringBack = (expected: Expected, { host, context, builder }: Repairing): Failure | null => {
  const owner = ownerNamed(host, expected.object);
  const pool = host.pools.get(expected.place.pool);
  if (!owner || !pool || expected.place.role.kind !== 'current')
    return drifted(`${expected.name} is gone, and nothing else has what it held`);
  const { volume } = owner;
  const { key } = volume.spec;
  const allowed = all(mustSaveOnStop(volume, 'bring back'), mustNotBeDirty(volume), mustBeWritable(volume));
  if (!allowed.ok) return allowed.error;
  const lost = { type: 'DiskLost', volume: key, disk: expected.disk.id, name: expected.name } as const;
  const left = evolveDrifted(volume, lost);
  const whole = left.revisions.filter(({ disk }) => !differs(disk.id, context.drift));
  const newest = findRevision({ ...left, revisions: whole }, null);
  if (!newest.ok) return drifted(`${expected.name} is gone, and ${key} has no older state`);
  const { number, at, disk, id } = newest.value;
  const incoming = placeOf(left, { kind: 'incoming', position: builder.freshPosition() });
  const from = placeOf(left, { kind: 'revision', number, at });
  const made = builder.main(key, { do: 'snapshot', of: { id: disk.id }, from, at: incoming });
  builder.fact(lost);
  const kept = swapIn(left, { ref: { madeBy: made }, from: incoming }, { builder, pool, context });
  builder.fact({ type: 'VolumeReverted', volume: key, to: id, current: { madeBy: made }, kept });
  return null;
};

/** A renamed session of a running VM must find back, else the VM could never be stopped. */
const mustRest = (host: Host, { is, expected }: ListedDifference): Failure | null => {
  const owner = is === 'renamed' ? null : ownerNamed(host, expected.object);
  const halted = owner ? mustBeHalted(owner.vm) : ok(null);
  return halted.ok ? null : halted.error;
};

const repairOne = (one: ListedDifference, repairing: Repairing): Failure | null => {
  const { name, kind, disk } = one.expected;
  const moving = mustRest(repairing.host, one);
  if (moving) return moving;
  if (kind === 'trash' && !isAstray(one)) return drifted(`${name} is trash`, `domtrail gc ${disk.id} --yes`);
  switch (one.is) {
    case 'unusable':
      return drifted(`${name} is listed only`, 'domtrail recover');
    case 'resized':
      return growBack(one, repairing);
    case 'gone':
      return bringBack(one.expected, repairing);
    default:
      return null;
  }
};

const repairAll = ({ listed, unknown: [stranger] }: Chosen, repairing: Repairing): Failure | null => {
  if (stranger) return drifted(`${stranger.seen.name} is not in the log: there is nothing to put right`);
  const astray = listed.filter(isAstray);
  const blocked = whyNotPutBack(astray);
  if (blocked) return blocked;
  for (const one of listed) {
    const refused = repairOne(one, repairing);
    if (refused) return refused;
  }
  putBack(astray, repairing.builder);
  return null;
};

const holdsOf = (host: Host, listed: readonly ListedDifference[]) =>
  [...new Set(listed.map(({ expected }) => expected.object))].flatMap((key) => {
    const owner = ownerNamed(host, key);
    return owner ? holdVolume(owner.vm.name, key) : [holdName(key)];
  });

/** Makes the pools what the log says again, by steps of ours: names, sizes, and the newest state that is left. */
export const decideRepairDrift: Decide<DriftTarget> = (host, payload, context) => {
  const chosen = chosenFrom(host, payload, context);
  if (!chosen.ok) return chosen;
  const repairing: Repairing = { host, context, builder: planBuilder(context.position) };
  const refused = repairAll(chosen.value, repairing);
  if (refused) return err(refused);
  const { listed } = chosen.value;
  for (const one of listed) {
    const { object: about, name } = one.expected;
    repairing.builder.fact({ type: 'DriftRepaired', object: name, about, problem: problemOf(one) });
  }
  return ok({ plan: repairing.builder.build(), holds: holdsOf(host, listed) });
};
