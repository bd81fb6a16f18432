import * as z from 'zod';
import { textSchema } from '../schemas.ts';

/**
 * `revert`: `operation` alone is taken out of the present state, `position` is where it began. The others: back to the state at `position`, from where the log stood at `head`: whatever came later would be taken back unseen. `operation` is the
 * one that is undone, redone or gone back to, by its command id; `only`
 * names a VM, a volume, or `global` for the properties and labels of the host.
 */
export const restoreOperation = z.strictObject({
  kind: z.enum(['undo', 'redo', 'restore', 'revert']),
  operation: z.string().min(1).max(200),
  position: z.int().min(0),
  head: z.int().min(0),
  only: textSchema.min(1).max(255).nullable(),
});

export type RestoreOperation = z.infer<typeof restoreOperation>;
