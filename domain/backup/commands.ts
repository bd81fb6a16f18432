import * as z from 'zod';
import { absolutePathSchema, vmNameSchema } from '../schemas.ts';

export const backupVm = z.strictObject({
  vms: z.array(vmNameSchema).min(1).max(10_000),
  to: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file'), path: absolutePathSchema }),
    z.strictObject({ kind: z.literal('stdout') }),
  ]),
  compression: z.enum(['gzip', 'zstd', 'none']),
  /** what is backed up of dom0 */
  home: z.strictObject({ path: absolutePathSchema }).optional(),
});

export type BackupVm = z.infer<typeof backupVm>;
