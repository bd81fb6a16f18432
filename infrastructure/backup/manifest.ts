import * as z from 'zod';
import { LARGEST } from './sparse-tar/header.ts';

/**
 * The list of a backup's files, as its last one: encrypted and authenticated like the others, in a directory that no VM has,
 * so that stock tools never look at it (spec: backup-format 8). The header says whether there is one.
 */
export const MANIFEST = 'extra/manifest';

/** Largest list that is read: thousands of VMs. */
export const MOST_MANIFEST = 64 * 2 ** 20;

/**
 * A file as it was written. Sizes in bytes. `disk` is the identity of the committed disk (`lv_uuid` of an LV), `event` and
 * `time` are when that state was committed; `digest`: `contentDigest`. `problem`: why it is not whole.
 */
const fileSchema = z.object({
  name: z.string().max(1024),
  chunks: z.int().min(1),
  size: z.int().min(0).max(LARGEST),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  disk: z.string().max(200).nullable(),
  event: z.int().nullable(),
  time: z.string().max(64).nullable(),
  problem: z.string().max(1000).nullable(),
});

const schema = z.object({
  format: z.literal(1),
  backupId: z.string().max(255),
  /** the log's position and the time at which the picture was taken */
  event: z.int(),
  time: z.string().max(64),
  vms: z.array(
    z.object({
      name: z.string().max(64),
      path: z.string().max(64),
      running: z.boolean(),
      files: z.array(fileSchema),
    }),
  ),
});

export type Manifest = z.infer<typeof schema>;
export type ManifestFile = Manifest['vms'][number]['files'][number];

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 1)}\n`;

/** Null for what is no list of ours, or one of a later version. */
export const parseManifest = (text: string): Manifest | null => {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};
