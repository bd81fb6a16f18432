import * as z from 'zod';
import { absolutePathSchema, poolNameSchema, vmNameSchema } from '../schemas.ts';

const pool = poolNameSchema.nullable();

/** `pool` null: all pools. `vms` empty: all VMs. What lies in the pools comes with the context. */
export const adoptStorage = z.strictObject({ pool, vms: z.array(vmNameSchema).max(10_000) });

/** `dirs`: where file pools lie now, when that is elsewhere than the log says. */
export const adoptMoved = z.strictObject({
  pool,
  dirs: z.array(z.strictObject({ pool: poolNameSchema, dir: absolutePathSchema })).max(100),
});

export type AdoptStorage = z.infer<typeof adoptStorage>;
export type AdoptMoved = z.infer<typeof adoptMoved>;
