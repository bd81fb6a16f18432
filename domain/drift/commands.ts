import * as z from 'zod';

/** Names of disks come from LVM or a directory: bounded, and nothing in them moves a cursor. */
const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'holds control characters');

const difference = z.strictObject({
  object: text(1024),
  about: text(1024).nullable(),
  problem: text(4096),
  fingerprint: text(4096),
});

/** Differences as they were shown to whoever answers. */
export const ignoreDrift = z.strictObject({
  differences: z.array(difference).min(1).max(1000),
  reason: text(4096),
});

/** `digest`: sha256 of the file that may be written over; null: there is none. */
export const overruleDocument = z.strictObject({
  object: text(1024),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});

export const noticeDrift = z.strictObject({ objects: z.array(text(1024)).min(1).max(1000) });

/** Names as `drift` shows them, or `VM` or `VM:VOLUME` for all of its disks. What lies in the pools comes with the context. */
export const driftTarget = z.strictObject({ names: z.array(text(1024)).min(1).max(1000) });

export type DriftTarget = z.infer<typeof driftTarget>;
export type IgnoreDrift = z.infer<typeof ignoreDrift>;
export type OverruleDocument = z.infer<typeof overruleDocument>;
export type NoticeDrift = z.infer<typeof noticeDrift>;
