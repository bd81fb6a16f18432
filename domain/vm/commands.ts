import * as z from 'zod';
import { poolNameSchema, textSchema, vmNameSchema, volumeNameSchema } from '../schemas.ts';

const key = z.string().regex(/^[A-Za-z0-9_.:/+-]{1,255}$/, 'is not a name');

export const createVm = z.strictObject({
  name: vmNameSchema,
  class: z.enum(['TemplateVM', 'AppVM', 'StandaloneVM', 'DispVM']),
  template: vmNameSchema.nullable(),
  label: z.string().max(64).nullable(),
  pool: poolNameSchema.nullable(),
  pools: z.record(volumeNameSchema, poolNameSchema),
});
export const cloneVm = z.strictObject({ source: vmNameSchema, name: vmNameSchema, pool: poolNameSchema.nullable() });
export const vmTarget = z.strictObject({ name: vmNameSchema });
export const stopVm = z.strictObject({ name: vmNameSchema, discard: z.boolean() });
/** `vm` null: a global property. `value` null: back to the default. */
export const setProperty = z.strictObject({ vm: vmNameSchema.nullable(), name: key, value: textSchema.nullable() });
export const setFeature = z.strictObject({ vm: vmNameSchema, name: key, value: textSchema.nullable() });
export const setTag = z.strictObject({
  vm: vmNameSchema,
  name: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'is not a tag'),
  present: z.boolean(),
});

export type CreateVm = z.infer<typeof createVm>;
export type CloneVm = z.infer<typeof cloneVm>;
export type VmTarget = z.infer<typeof vmTarget>;
export type StopVm = z.infer<typeof stopVm>;
export type SetProperty = z.infer<typeof setProperty>;
export type SetFeature = z.infer<typeof setFeature>;
export type SetTag = z.infer<typeof setTag>;
