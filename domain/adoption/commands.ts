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

/** Whatever LVM wrote down: bounded, and without what moves a cursor. */
const told = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'holds control characters');
const lv = z.strictObject({ id: told(64), name: told(300) });
const MOST_LVS = 10_000;

/** What LVM's archive says of the volume group of a pool, oldest first. */
export const adoptTestimony = z.strictObject({
  pool: poolNameSchema,
  told: z
    .array(
      z.strictObject({
        group: told(128),
        seqno: z.int().min(0),
        time: z.int().min(0).max(253_402_300_799),
        host: told(256),
        commandLine: told(2048),
        made: z.array(lv).max(MOST_LVS),
        gone: z.array(lv).max(MOST_LVS),
        renamed: z.array(z.strictObject({ id: told(64), was: told(300), now: told(300) })).max(MOST_LVS),
        volumes: z.array(told(300)).max(MOST_LVS),
      }),
    )
    .min(1)
    .max(1000),
});

export type AdoptTestimony = z.infer<typeof adoptTestimony>;
export type AdoptStorage = z.infer<typeof adoptStorage>;
export type AdoptMoved = z.infer<typeof adoptMoved>;
