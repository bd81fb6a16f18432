import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { sync } from '../drivers/sync.ts';
import { LARGEST } from './sparse-tar/header.ts';

/*
 * Beside a backup that grows lies a file with one line for each of its files that is complete and on the disk: AES-256-GCM,
 * because names, sizes and digests are nobody's business on a disk that is carried about. The key comes from that of the
 * header, so nobody reads or writes a line without the passphrase; the number of a line is authenticated with it.
 */

const durable = {
  /** of the file in the backup: `vm2/private.img` */
  path: z.string().max(1024),
  /** how long the part file is with it */
  offset: z.int().min(1).max(LARGEST),
  /** members of the outer archive since the line before, and the CRC of their data */
  members: z.int().min(1),
  crc: z.int().min(0).max(0xffff_ffff),
};

const written = z.strictObject({
  vm: z.string().max(64),
  volume: z.string().max(128).nullable(),
  file: z.string().max(1024),
  bytes: z.int().min(0),
  stored: z.int().min(0),
  digest: z.string().max(64),
  chunks: z.int().min(1),
  durationMs: z.int().min(0),
  problem: z.string().nullable(),
});

const schema = z.discriminatedUnion('is', [
  /** header and qubes.xml; `stamps`: of the disks that are read where they lie, by volume */
  z.strictObject({
    is: z.literal('begun'),
    ...durable,
    taken: z.strictObject({ event: z.int().min(0), time: z.string().max(64) }),
    stamps: z.record(z.string(), z.string()),
  }),
  z.strictObject({ is: z.literal('file'), ...durable, written }),
]);

/** One line: the backup has begun, or one more of its files is complete. */
export type Mark = z.infer<typeof schema>;

const keyFrom = (headerKey: Buffer): Buffer =>
  createHmac('sha256', headerKey.subarray(32)).update('domtrail/marks/1').digest();

/** Whose lines these are. `headerKey`: of the container that authenticates the backup's header. */
export type Marked = { readonly headerKey: Buffer; readonly backupId: string };

const bound = (backupId: string, number: number): Buffer => Buffer.from(`${backupId} ${number}`, 'latin1');

const NONCE = 12;
const TAG = 16;

const lineOf = (mark: Mark, number: number, { headerKey, backupId }: Marked): string => {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', keyFrom(headerKey), nonce).setAAD(bound(backupId, number));
  const hidden = Buffer.concat([cipher.update(JSON.stringify(mark), 'utf8'), cipher.final()]);
  return `${Buffer.concat([nonce, hidden, cipher.getAuthTag()]).toString('base64')}\n`;
};

const markIn = (line: string, number: number, { headerKey, backupId }: Marked): Mark | null => {
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length < NONCE + TAG) return null;
  const decipher = createDecipheriv('aes-256-gcm', keyFrom(headerKey), bytes.subarray(0, NONCE));
  decipher.setAAD(bound(backupId, number)).setAuthTag(bytes.subarray(-TAG));
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8');
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    // Torn by a power cut, or not ours: what follows it counts as little.
    return null;
  }
};

/** A mark, and how long the file of marks is with its line. */
export type ReadMark = { readonly mark: Mark; readonly end: number };

/** The marks up to the first line that does not authenticate. */
export const marksIn = (text: string, marked: Marked): readonly ReadMark[] => {
  const found: ReadMark[] = [];
  let end = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const mark = markIn(line, found.length, marked);
    if (!mark) break;
    end += line.length + 1;
    found.push({ mark, end });
  }
  return found;
};

/** Adds marks to a file; each is on the disk when `add` returns. */
export type MarkWriter = { readonly add: (mark: Mark) => Promise<void>; readonly close: () => Promise<void> };

/** How much of a file of marks is kept. */
export type KeptMarks = { readonly count: number; readonly end: number };

const opened = async (path: string, { end }: KeptMarks): Promise<FileHandle> => {
  if (end > 0) {
    const handle = await open(path, 'r+');
    await handle.truncate(end);
    return handle;
  }
  await rm(path, { force: true });
  const handle = await open(path, 'wx', 0o600);
  await sync(dirname(path));
  return handle;
};

export const writeMarks = async (path: string, marked: Marked, kept: KeptMarks): Promise<MarkWriter> => {
  const handle = await opened(path, kept);
  let { count, end } = kept;
  return {
    add: async (mark) => {
      const line = Buffer.from(lineOf(mark, count++, marked), 'latin1');
      for (let at = 0; at < line.length; )
        at += (await handle.write(line, at, line.length - at, end + at)).bytesWritten;
      end += line.length;
      await handle.datasync();
    },
    close: () => handle.close(),
  };
};
