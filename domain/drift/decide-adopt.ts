import { planAdoption } from '../adoption/plan.ts';
import type { Context, Decide } from '../decision.ts';
import type { Failure } from '../failure.ts';
import { holdVolume } from '../holds.ts';
import type { Host } from '../host/host.ts';
import { type PlanBuilder, planBuilder } from '../plan-builder.ts';
import { err, ok, type Result } from '../result.ts';
import { mustBeHalted } from '../volume/guards.ts';
import { type Chosen, chosenFrom, drifted, type Owner, ownerNamed } from './chosen.ts';
import type { DriftTarget } from './commands.ts';
import { type DiskDifference, nameOf, objectOf, type UnknownDisk } from './difference.ts';
import { takeListed, whyNotTaken } from './take-listed.ts';
import { sortUnknown } from './take-unknown.ts';

type Taking = { readonly host: Host; readonly context: Context; readonly builder: PlanBuilder };
type Owners = ReadonlyMap<string, Owner>;

const ownersOf = (host: Host, differences: readonly DiskDifference[]): Result<Owners, Failure> => {
  const owners = new Map<string, Owner>();
  for (const difference of differences) {
    const key = objectOf(difference) ?? '';
    const owner = ownerNamed(host, key);
    if (!owner) return err(drifted(`${nameOf(difference)} belongs to no volume of the log`));
    const halted = mustBeHalted(owner.vm);
    if (!halted.ok) return halted;
    owners.set(key, owner);
  }
  return ok(owners);
};

const takeUnknown = (one: UnknownDisk, owners: Owners, { host, context, builder }: Taking): Failure | null => {
  const volume = owners.get(one.object ?? '')?.volume;
  const pool = volume && host.pools.get(volume.spec.pool);
  if (!volume || !pool) return drifted(`${one.seen.name} belongs to no volume of the log`);
  const sorted = sortUnknown(volume, one);
  if (!sorted.ok) return sorted.error;
  planAdoption(volume, sorted.value, { builder, pool, context });
  return null;
};

const takeAll = ({ listed, unknown }: Chosen, owners: Owners, taking: Taking): Failure | null => {
  for (const one of listed) {
    const why = whyNotTaken(one, listed, taking.host);
    if (why) return why;
  }
  for (const { volume } of owners.values()) takeListed(volume, listed, taking.builder);
  for (const one of unknown) {
    const why = takeUnknown(one, owners, taking);
    if (why) return why;
  }
  return null;
};

/** Takes what lies in the pools for what the log lists: the world as it is becomes the truth. Destroys nothing. */
export const decideAdoptDrift: Decide<DriftTarget> = (host, payload, context) => {
  const chosen = chosenFrom(host, payload, context);
  if (!chosen.ok) return chosen;
  const owners = ownersOf(host, [...chosen.value.listed, ...chosen.value.unknown]);
  if (!owners.ok) return owners;
  const taking: Taking = { host, context, builder: planBuilder(context.position) };
  const refused = takeAll(chosen.value, owners.value, taking);
  if (refused) return err(refused);
  const holds = [...owners.value].flatMap(([key, { vm }]) => holdVolume(vm.name, key));
  return ok({ plan: taking.builder.build(), holds });
};
