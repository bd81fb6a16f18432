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
const percent = z.int().min(0).max(90);
export const setPoolReserve = z.strictObject({
  name: poolNameSchema,
  reserve: z.strictObject({ data: percent, metadata: percent }).nullable(),
});

const count = z.int().min(0);
const lvName = z.string().min(3).max(300);
const diskId = z.string().min(1).max(200);

const wound = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('wedged'), name: lvName, disk: diskId, lvm: count, kernel: count }),
  z.strictObject({ is: z.literal('phantom'), name: lvName, disk: diskId }),
  z.strictObject({ is: z.literal('torn'), volumeGroup: lvmNameSchema }),
]);

const evidence = z.strictObject({
  argv: z.array(z.array(z.string().max(10_000)).max(100)).max(20),
  exitCode: z.int().nullable(),
  stderr: z.string().max(100_000),
  durationMs: z.number().min(0),
});

/** What `recover` finds out about a pool before anything else is done in it. */
export const recordPoolWound = z.strictObject({ pool: poolNameSchema, wound });
/** What it then did, and how that went. */
export const recordPoolMended = z.strictObject({ pool: poolNameSchema, wound, evidence });

export type RecordPoolWound = z.infer<typeof recordPoolWound>;
export type RecordPoolMended = z.infer<typeof recordPoolMended>;
export type AddPool = z.infer<typeof addPool>;
export type RemovePool = z.infer<typeof removePool>;
export type SetPoolReserve = z.infer<typeof setPoolReserve>;
