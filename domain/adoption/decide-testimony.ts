import type { Context, Decision } from '../decision.ts';
import { failure } from '../failure.ts';
import { holdName } from '../holds.ts';
import type { Host } from '../host/host.ts';
import type { VolumeKey } from '../names.ts';
import { planBuilder } from '../plan-builder.ts';
import { err, ok } from '../result.ts';
import { findPool } from '../volume/find.ts';
import type { AdoptTestimony } from './commands.ts';

/** Writes down what LVM's archive says. Nothing follows from it, and nothing is touched. */
export const decideAdoptTestimony = (host: Host, { pool: name, told }: AdoptTestimony, context: Context): Decision => {
  const pool = findPool(host, name);
  if (!pool.ok) return pool;
  const { value } = pool;
  if (value.driver !== 'lvm_thin') return err(failure('D_DRIVER_REFUSES', `pool ${name} is none of LVM's`));
  const stranger = told.find(({ group }) => group !== value.volumeGroup);
  if (stranger) return err(failure('D_BAD_INPUT', `pool ${name} does not lie in volume group ${stranger.group}`));
  const builder = planBuilder(context.position);
  for (const one of told) {
    const volumes = one.volumes.filter((key): key is VolumeKey => key.includes(':'));
    builder.fact({ type: 'LvmTestified', pool: name, ...one, volumes });
  }
  return ok({ plan: builder.build(), holds: [holdName(`lvm ${value.volumeGroup}`)] });
};
