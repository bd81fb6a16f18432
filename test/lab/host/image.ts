import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { SECTOR, type Store } from './sectors.ts';

const MIB = 2 ** 20;
const FIRST = { start: MIB, bytes: 127 * MIB };
const SECOND = { start: 128 * MIB, bytes: 512 * MIB };
export const LVM_START = SECOND.start;
const BYTES = SECOND.start + SECOND.bytes;

const entry = (
  table: Buffer,
  index: number,
  { start, bytes }: { start: number; bytes: number },
  type: number,
): void => {
  const at = 446 + index * 16;
  table.writeUInt8(type, at + 4);
  table.writeUInt32LE(start / SECTOR, at + 8);
  table.writeUInt32LE(bytes / SECTOR, at + 12);
};

/** A sparse image with a partition table: one for the host's own files, one for LVM. */
export const makeImage = (path: string): void => {
  const table = Buffer.alloc(SECTOR);
  entry(table, 0, FIRST, 0x83);
  entry(table, 1, SECOND, 0x8e);
  table.writeUInt16LE(0xaa55, 510);
  const fd = openSync(path, 'wx');
  writeSync(fd, table, 0, SECTOR, 0);
  writeSync(fd, Buffer.alloc(SECTOR), 0, SECTOR, BYTES - SECTOR);
  closeSync(fd);
};

/** An image file as the disk below a cache. */
export const openImage = (path: string): Store & { readonly close: () => void } => {
  const fd = openSync(path, 'r+');
  return {
    bytes: fstatSync(fd).size,
    read: (offset, length) => {
      const data = Buffer.alloc(length);
      readSync(fd, data, 0, length, offset);
      return data;
    },
    write: (offset, data) => {
      writeSync(fd, data, 0, data.length, offset);
    },
    close: () => closeSync(fd),
  };
};
