import * as z from 'zod';
import { knownVmNameSchema } from '../schemas.ts';

export const rewriteKeys = z.strictObject({ vm: knownVmNameSchema });

export type RewriteKeys = z.infer<typeof rewriteKeys>;
