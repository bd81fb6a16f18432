import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decompressed } from '../../infrastructure/backup/decompress.ts';
import type { Filter } from '../../infrastructure/backup/header.ts';

const WRITERS: Readonly<Record<Filter, readonly [string, ...string[]]>> = {
  gzip: ['gzip', '-c'],
  bzip2: ['bzip2', '-c'],
  xz: ['xz', '-c'],
  lzma: ['xz', '--format=lzma', '-c'],
  zstd: ['zstd', '-cq'],
};

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(700_000, 'x')]);

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

const unpacked = async (filter: Filter | null, source: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = [];
  for await (const piece of decompressed(filter, source)) all.push(piece);
  return Buffer.concat(all);
};

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe.each(Object.entries(WRITERS))('a stream compressed by %s', (name, [program, ...args]) => {
  const filter = name as Filter;
  const packed = (): Buffer => spawnSync(program, args, { input: content, maxBuffer: 2 ** 24 }).stdout;

  test.skipIf(!isThere(program))(`is unpacked (skipped without ${program})`, async () => {
    expect((await unpacked(filter, pieces(packed()))).equals(content)).toBe(true);
  });

  test.skipIf(!isThere(program))(`that is cut off or damaged is an error (skipped without ${program})`, async () => {
    const bytes = packed();
    await expect(unpacked(filter, pieces(bytes.subarray(0, bytes.length / 2)))).rejects.toThrow(/./);
    const broken = Buffer.from(bytes);
    broken.fill(0x55, 1000, 2000);
    await expect(unpacked(filter, pieces(broken))).rejects.toThrow(/./);
  });

  test.skipIf(!isThere(program))(
    `whose source fails gives the source's own error (skipped without ${program})`,
    async () => {
      const failing = async function* (): AsyncGenerator<Buffer> {
        yield packed().subarray(0, 1000);
        throw new Error('chunk 1 does not authenticate');
      };
      await expect(unpacked(filter, failing())).rejects.toThrow('chunk 1 does not authenticate');
    },
  );

  test.skipIf(!isThere(program))(
    `is read to its end, whatever follows the compressed data (skipped without ${program})`,
    async () => {
      for (const filling of [0, 1]) {
        let ended = false;
        const followed = async function* (): AsyncGenerator<Buffer> {
          yield packed();
          for (let n = 0; n < 200; n++) yield Buffer.alloc(2 ** 16, filling);
          ended = true;
          throw new Error('chunk 1 does not authenticate');
        };
        await expect(unpacked(filter, followed())).rejects.toThrow(/./);
        // Whoever says first that something is wrong may leave the rest unread.
        if (filling === 0 && filter === 'gzip') expect(ended).toBe(true);
      }
    },
  );
});

test('a stream that was not compressed is handed on', async () => {
  expect((await unpacked(null, pieces(content))).equals(content)).toBe(true);
});
