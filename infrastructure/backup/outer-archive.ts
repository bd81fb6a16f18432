import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { sync } from '../drivers/sync.ts';
import { run } from '../process/run.ts';
import { BLOCK } from './sparse-tar/header.ts';
import { headerBlock } from './sparse-tar/write.ts';

/** A member being written; its size is known when all of it is there. */
export type MemberWriter = { readonly write: (piece: Buffer) => Promise<void>; readonly end: () => Promise<void> };

/** How far an archive would survive a power cut: its length, and how many members came since it was asked last, with the CRC of their data. */
type Durable = { readonly offset: number; readonly members: number; readonly crc: number };

/** The outer archive of a backup: complete archives of one member each, one after the other (spec: backup-format 1). */
export type OuterArchive = {
  readonly member: (name: string) => Promise<MemberWriter>;
  /** Waits until what is complete is on the disk; null where that cannot be told. */
  readonly settled: () => Promise<Durable | null>;
  /** Everything is on the disk, or with whoever reads, when this returns. */
  readonly close: () => Promise<void>;
  /** Gives up; whatever was kept aside is gone. */
  readonly abort: () => Promise<void>;
};

/** GNU tar fills its archives up to this, and so does stock. */
const RECORD = 10_240;
const AT_ONCE = 2 ** 20;

export const lengthOf = (size: number): number =>
  Math.ceil((BLOCK + Math.ceil(size / BLOCK) * BLOCK + 2 * BLOCK) / RECORD) * RECORD;

/** Gathers small pieces: a write costs as much as many of them. */
const gathering = (handle: FileHandle, start: number) => {
  let pending: Buffer[] = [];
  let waiting = 0;
  let at = start;
  const flush = async (): Promise<void> => {
    const pieces = pending;
    pending = [];
    waiting = 0;
    for (let rest = Buffer.concat(pieces); rest.length > 0; ) {
      const { bytesWritten } = await handle.write(rest, 0, rest.length, at);
      at += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  };
  const write = async (piece: Buffer): Promise<void> => {
    pending.push(piece);
    waiting += piece.length;
    if (waiting >= AT_ONCE) await flush();
  };
  return { write, flush, at: () => at };
};

export const memberHeader = (name: string, size: number): Buffer => headerBlock({ name, type: '0', size, mode: 0o600 });

/** One member at an offset of a file: its header comes last, when the size is known. Gives where it ends. */
const memberAt = (handle: FileHandle, start: number, name: string) => {
  const data = gathering(handle, start + BLOCK);
  const end = async (): Promise<number> => {
    await data.flush();
    const size = data.at() - start - BLOCK;
    const whole = start + lengthOf(size);
    // What follows the data is zeros: making the file longer writes them.
    await handle.truncate(whole);
    const header = memberHeader(name, size);
    await handle.write(header, 0, header.length, start);
    return whole;
  };
  return { write: data.write, end };
};

/** A file for nobody else to read: a new one, or one that is there and is cut back to what of it is kept. */
const opened = async (path: string, kept: number): Promise<FileHandle> => {
  if (kept > 0) {
    const handle = await open(path, 'r+');
    await handle.truncate(kept);
    return handle;
  }
  await rm(path, { force: true });
  const handle = await open(path, 'wx', 0o600);
  await sync(dirname(path));
  return handle;
};

/** Into a file, of which the first `kept` bytes are there already. Rejects with the system's error. */
export const archiveInFile = async (path: string, kept = 0): Promise<OuterArchive> => {
  const handle = await opened(path, kept);
  let at = kept;
  let since = { members: 0, crc: 0 };
  return {
    member: async (name) => {
      const member = memberAt(handle, at, name);
      return {
        write: (piece) => {
          since.crc = crc32(piece, since.crc);
          return member.write(piece);
        },
        end: async () => {
          at = await member.end();
          since.members++;
        },
      };
    },
    settled: async () => {
      await handle.datasync();
      const durable = { offset: at, ...since };
      since = { members: 0, crc: 0 };
      return durable;
    },
    close: async () => {
      await handle.sync();
      await handle.close();
    },
    abort: async () => {
      await handle.close();
      await rm(path, { force: true });
    },
  };
};

/** Whoever read the stream does not any more. */
export class ReaderGone extends Error {}

/** `cat` waits for a slow reader without us, and ends when the reader goes away. */
const handOut = async (path: string, stdout: number): Promise<void> => {
  const { evidence } = await run(['cat', '--', path], { stdout });
  if (evidence.exitCode !== 0)
    throw new ReaderGone(
      `standard output could not be written: ${evidence.stderr.trim() || 'nobody reads it any more'}`,
    );
};

/**
 * Into a stream: a member's size stands before its data, so each is kept aside until it is whole, encrypted as it is, and
 * then handed out. Takes the room of one chunk in the directory for temporary files.
 */
export const archiveInStream = async (stdout: number): Promise<OuterArchive> => {
  const directory = await mkdtemp(join(tmpdir(), 'domtrail-backup-'));
  const path = join(directory, 'member');
  const clear = () => rm(directory, { recursive: true, force: true });
  return {
    member: async (name) => {
      const handle = await open(path, 'w', 0o600);
      const member = memberAt(handle, 0, name);
      return {
        write: member.write,
        end: async () => {
          await member.end();
          await handle.close();
          await handOut(path, stdout);
        },
      };
    },
    settled: async () => null,
    close: clear,
    abort: clear,
  };
};
