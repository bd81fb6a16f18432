import * as z from 'zod';
import { poolDefinition } from '../pool/commands.ts';

export const initHost = z.strictObject({ pools: z.array(poolDefinition).min(1).max(16) });
/** What `recover` finds out: the host runs under another boot id than the VMs in the log. */
export const recordReboot = z.strictObject({ bootId: z.string().min(1).max(100) });
export const collectGarbage = z.strictObject({ disks: z.array(z.string().min(1).max(200)).max(10_000) });
/** `color` null: the label goes. */
export const setLabel = z.strictObject({ name: z.string().min(1).max(255), color: z.string().max(16).nullable() });

export type SetLabel = z.infer<typeof setLabel>;
export type InitHost = z.infer<typeof initHost>;
export type RecordReboot = z.infer<typeof recordReboot>;
export type CollectGarbage = z.infer<typeof collectGarbage>;
