import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openBackup } from '../../infrastructure/backup/open-backup.ts';
import { headerBlock } from '../../infrastructure/backup/sparse-tar/write.ts';
import { type BackupReport, verifyBackup } from '../../infrastructure/backup/verify.ts';

const VECTORS = new URL('../vectors/backup/', import.meta.url);

type Content = { readonly size: number; readonly sha256: string };
export type Details = {
  readonly passphrase: string;
  readonly vms: Readonly<
    Record<string, { readonly included: boolean; readonly volumes: Readonly<Record<string, Content>> }>
  >;
};

export const BACKUPS = ['g1-v4-gzip-pax', 'g2-v4-plain-gnusparse-chunks', 'g3-v3-openssl-gzip'] as const;

export const bytesOf = (name: string): Buffer => readFileSync(new URL(name, VECTORS));
export const detailsOf = (name: string): Details => JSON.parse(bytesOf(`${name}.json`).toString('utf8')) as Details;

/** The report, or the code of the failure that a backup was refused with. */
export const verified = async (
  bytes: Buffer,
  passphrase: string,
  reader: Parameters<typeof verifyBackup>[1] = {},
): Promise<BackupReport | string> => {
  const backup = await openBackup(Readable.from([bytes]), { passphrase });
  return backup.ok ? verifyBackup(backup.value, reader) : backup.error.code;
};

/** A backup file taken apart: complete archives of one member each, which can be left out, moved or changed. */
export type Part = { readonly name: string; readonly bytes: Buffer; readonly data: Buffer };

const RECORD = 10_240;
const BLOCK = 512;

const octal = (block: Buffer, at: number, length: number): number =>
  Number.parseInt(block.toString('latin1', at, at + length), 8);

const partAt = (file: Buffer, start: number): Part => {
  let at = start;
  for (;;) {
    const header = file.subarray(at, at + BLOCK);
    const size = octal(header, 124, 11);
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (String.fromCharCode(header[156] ?? 0) === 'x') {
      at = end;
      continue;
    }
    const name = header.toString('utf8', 0, header.indexOf(0));
    const length = Math.ceil((end - start + 2 * BLOCK) / RECORD) * RECORD;
    return { name, bytes: file.subarray(start, start + length), data: file.subarray(at + BLOCK, at + BLOCK + size) };
  }
};

export const partsOf = (file: Buffer): readonly Part[] => {
  const parts: Part[] = [];
  for (let at = 0; at < file.length; at += parts.at(-1)?.bytes.length ?? RECORD) parts.push(partAt(file, at));
  return parts;
};

export const joined = (parts: readonly Part[]): Buffer => Buffer.concat(parts.map(({ bytes }) => bytes));

/** The same part with other data of the same length. */
export const changed = (part: Part, change: (data: Buffer) => void): Part => {
  const bytes = Buffer.from(part.bytes);
  const at = part.data.byteOffset - part.bytes.byteOffset;
  const data = bytes.subarray(at, at + part.data.length);
  change(data);
  return { ...part, bytes, data };
};

const CHECKSUM_AT = 148;

/** The same part under another name. */
export const renamed = (part: Part, name: string): Part => {
  const bytes = Buffer.from(part.bytes);
  const at = part.data.byteOffset - part.bytes.byteOffset - BLOCK;
  const header = bytes.subarray(at, at + BLOCK);
  header.fill(0, 0, 100);
  header.write(name, 0, 'utf8');
  header.fill(0x20, CHECKSUM_AT, CHECKSUM_AT + 8);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  return { name, bytes, data: bytes.subarray(at + BLOCK, at + BLOCK + part.data.length) };
};

/** A complete archive of one member, as the outer layer has it. */
export const partFor = (name: string, data: Buffer): Part => {
  const header = headerBlock({ name, type: '0', size: data.length, mode: 0o600 });
  const filled = Buffer.alloc(Math.ceil((data.length + 3 * BLOCK) / RECORD) * RECORD);
  header.copy(filled);
  data.copy(filled, BLOCK);
  return { name, bytes: filled, data: filled.subarray(BLOCK, BLOCK + data.length) };
};
