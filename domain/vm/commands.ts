import * as z from 'zod';
import { knownVmNameSchema, poolNameSchema, textSchema, vmNameSchema, volumeNameSchema } from '../schemas.ts';
import { ASSIGNMENT_MODES } from './devices.ts';
import { MOST_NOTES, utf8Length } from './notes.ts';

const key = z.string().regex(/^[A-Za-z0-9_.:/+-]{1,255}$/, 'is not a name');

export const createVm = z.strictObject({
  name: vmNameSchema,
  class: z.enum(['TemplateVM', 'AppVM', 'StandaloneVM', 'DispVM']),
  template: vmNameSchema.nullable(),
  label: z.string().max(64).nullable(),
  pool: poolNameSchema.nullable(),
  pools: z.record(volumeNameSchema, poolNameSchema),
});
export const cloneVm = z.strictObject({
  source: knownVmNameSchema,
  name: vmNameSchema,
  pool: poolNameSchema.nullable(),
});
export const vmTarget = z.strictObject({ name: knownVmNameSchema });
export const stopVm = z.strictObject({ name: knownVmNameSchema, discard: z.boolean() });
/** `vm` null: a global property. `value` null: back to the default. */
export const setProperty = z.strictObject({
  vm: knownVmNameSchema.nullable(),
  name: key,
  value: textSchema.nullable(),
});
/** An adopted feature may have any name; a new one is held to the rule when it is decided. */
export const setFeature = z.strictObject({
  vm: knownVmNameSchema,
  name: textSchema.max(255),
  value: textSchema.nullable(),
});
/** Empty: none any more. */
export const setNotes = z.strictObject({
  vm: knownVmNameSchema,
  text: z.string().refine((text) => utf8Length(text) <= MOST_NOTES, `notes have at most ${MOST_NOTES} bytes`),
});
export const setTag = z.strictObject({
  vm: knownVmNameSchema,
  name: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'is not a tag'),
  present: z.boolean(),
});

const part = textSchema.min(1).max(255);
/** `mode` null: the device is assigned no longer. `backend` null: whichever VM has the device. */
export const setDevice = z.strictObject({
  vm: knownVmNameSchema,
  class: z.string().min(1).max(32),
  backend: knownVmNameSchema.nullable(),
  id: part,
  identity: part,
  mode: z.enum(ASSIGNMENT_MODES).nullable(),
  options: z.array(z.tuple([part, textSchema])).max(100),
});

export type CreateVm = z.infer<typeof createVm>;
export type CloneVm = z.infer<typeof cloneVm>;
export type VmTarget = z.infer<typeof vmTarget>;
export type StopVm = z.infer<typeof stopVm>;
export type SetProperty = z.infer<typeof setProperty>;
export type SetFeature = z.infer<typeof setFeature>;
export type SetNotes = z.infer<typeof setNotes>;
export type SetTag = z.infer<typeof setTag>;
export type SetDevice = z.infer<typeof setDevice>;
