import * as z from 'zod';
import { LONGEST_LINE } from '../firewall/parse.ts';
import { MOST_RULES } from '../firewall/rule.ts';
import { bytesSchema, poolNameSchema, textSchema, vmNameSchema, volumeNameSchema } from '../schemas.ts';
import { MOST_NOTES, utf8Length } from '../vm/notes.ts';

const key = z.string().regex(/^[A-Za-z0-9_.:/+-]{1,255}$/, 'is not a name');
const line = z.string().max(255);

/** What a backup holds for one volume: `file` as it is called there (`vm1/private.img`), its size and hash as read, and how much of it is no hole. */
const image = z.strictObject({
  file: z.string().max(1024),
  bytes: bytesSchema,
  data: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * A VM out of a backup that was read to its end and found whole. `backup` names the file, `was` is the VM's name in there.
 * `properties`, `features` and `tags` hold what this host can take; what it cannot is a warning of whoever asks.
 */
export const restoreVm = z.strictObject({
  name: vmNameSchema,
  class: z.enum(['TemplateVM', 'AppVM', 'StandaloneVM', 'DispVM']),
  template: vmNameSchema.nullable(),
  label: z.string().max(64),
  pool: poolNameSchema.nullable(),
  pools: z.record(volumeNameSchema, poolNameSchema),
  backup: z.strictObject({ name: line, id: line, was: z.string().max(64) }),
  properties: z.record(key, textSchema),
  features: z.record(key, textSchema),
  tags: z.array(z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'is not a tag')).max(1000),
  images: z.record(volumeNameSchema, image),
  /** left out by versions that did not keep any */
  notes: z
    .string()
    .refine((text) => utf8Length(text) <= MOST_NOTES, `notes have at most ${MOST_NOTES} bytes`)
    .optional(),
  rules: z.array(z.string().max(LONGEST_LINE)).max(MOST_RULES).nullable(),
});

export type RestoreVm = z.infer<typeof restoreVm>;
