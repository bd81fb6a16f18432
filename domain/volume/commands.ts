import * as z from 'zod';
import { absolutePathSchema, bytesSchema, vmNameSchema, volumeNameSchema } from '../schemas.ts';

const target = { vm: vmNameSchema, volume: volumeNameSchema };
const revisionId = z.string().regex(/^[A-Za-z0-9:_.-]{1,64}$/, 'is not a revision id');

export const addVolume = z.strictObject({
  ...target,
  bytes: bytesSchema,
  rw: z.boolean(),
  snapOnStart: z.boolean(),
  saveOnStop: z.boolean(),
  source: z.strictObject(target).nullable(),
  pool: z.string().max(63).nullable(),
  revisionsToKeep: z.int().min(-1).max(1000).nullable(),
});
export const volumeTarget = z.strictObject(target);
export const revertVolume = z.strictObject({ ...target, revision: revisionId.nullable() });
export const resizeVolume = z.strictObject({ ...target, bytes: bytesSchema, shrink: z.boolean() });
export const importVolume = z.strictObject({
  ...target,
  from: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('file'),
      path: absolutePathSchema,
      bytes: z.int().min(0),
      stamp: z.string().max(200),
    }),
    z.strictObject({ kind: z.literal('stdin') }),
  ]),
});
export const exportVolume = z.strictObject({
  ...target,
  to: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file'), path: absolutePathSchema }),
    z.strictObject({ kind: z.literal('stdout') }),
  ]),
});
export const cloneVolume = z.strictObject({ source: z.strictObject(target), target: z.strictObject(target) });
export const setVolume = z.strictObject({
  ...target,
  change: z.union([
    z.strictObject({ revisionsToKeep: z.int().min(-1).max(1000) }),
    z.strictObject({ rw: z.boolean() }),
    z.strictObject({ ephemeral: z.boolean().nullable() }),
  ]),
});
export const pinRevision = z.strictObject({ ...target, revision: revisionId });

export type AddVolume = z.infer<typeof addVolume>;
export type VolumeTarget = z.infer<typeof volumeTarget>;
export type RevertVolume = z.infer<typeof revertVolume>;
export type ResizeVolume = z.infer<typeof resizeVolume>;
export type ImportVolume = z.infer<typeof importVolume>;
export type ExportVolume = z.infer<typeof exportVolume>;
export type CloneVolume = z.infer<typeof cloneVolume>;
export type SetVolume = z.infer<typeof setVolume>;
export type PinRevision = z.infer<typeof pinRevision>;
