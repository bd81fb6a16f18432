import * as z from 'zod';
import { absolutePathSchema, lvmNameSchema, poolNameSchema } from '../schemas.ts';

const keeping = { revisionsToKeep: z.int().min(-1).max(1000), ephemeralVolatile: z.boolean() };

export const poolDefinition = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('lvm_thin'),
    name: poolNameSchema,
    volumeGroup: lvmNameSchema,
    thinPool: lvmNameSchema,
    ...keeping,
  }),
  z.strictObject({ driver: z.literal('file-reflink'), name: poolNameSchema, dir: absolutePathSchema, ...keeping }),
  z.strictObject({ driver: z.literal('linux-kernel'), name: poolNameSchema, dir: absolutePathSchema }),
]);

export const addPool = z.strictObject({ definition: poolDefinition });
export const removePool = z.strictObject({ name: poolNameSchema });

export type AddPool = z.infer<typeof addPool>;
export type RemovePool = z.infer<typeof removePool>;
