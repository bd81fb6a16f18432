import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Truncated } from '../../infrastructure/backup/byte-source.ts';
import { BadTar } from '../../infrastructure/backup/sparse-tar/header.ts';
import { tarFiles } from '../../infrastructure/backup/sparse-tar/read.ts';
import { bytesOf } from './vectors.ts';

type Case = { readonly in_size: number; readonly in_sha256: string };
const CASES = Object.entries(JSON.parse(bytesOf('tarwriter/manifest.json').toString('utf8')) as Record<string, Case>);

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type File = { readonly name: string; readonly size: number; readonly content: Buffer };

const LARGEST_HERE = 2 ** 26;

const read = async (bytes: Buffer, pieceSize = 65_536): Promise<readonly File[]> => {
  const files: File[] = [];
  for await (const { name, size, data } of tarFiles(inPieces(bytes, pieceSize))) {
    if (size > LARGEST_HERE) throw new BadTar('larger than a test can hold');
    const content = Buffer.alloc(size);
    for await (const { offset, bytes: piece } of data) piece.copy(content, offset);
    files.push({ name, size, content });
  }
  return files;
};

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a tar archive with holes', () => {
  test.each(CASES)('as the stock archiver writes it: %s', async (name, { in_size: size, in_sha256: hash }) => {
    for (const pieceSize of [65_536, 777]) {
      const [file, ...more] = await read(bytesOf(`tarwriter/${name}.tar`), pieceSize);
      expect(more).toEqual([]);
      expect(file).toMatchObject({ name: 'vm7/private.img', size });
      expect(sha256(file?.content ?? Buffer.alloc(0))).toBe(hash);
    }
  });

  test('is as long as its input was, whatever the vector file is packed with', () => {
    for (const [name, { in_sha256: hash }] of CASES) {
      const packed = existsSync(new URL(`../vectors/backup/tarwriter/${name}.in.gz`, import.meta.url));
      const input = packed ? gunzipSync(bytesOf(`tarwriter/${name}.in.gz`)) : bytesOf(`tarwriter/${name}.in`);
      expect(sha256(input)).toBe(hash);
    }
  });

  const formats: readonly (readonly string[])[] = [
    ['--sparse', '--format=gnu'],
    ['--sparse', '--format=posix', '--sparse-version=0.0'],
    ['--sparse', '--format=posix', '--sparse-version=0.1'],
    ['--sparse', '--format=posix', '--sparse-version=1.0'],
    ['--format=ustar'],
  ];

  test.each(formats)('as GNU tar writes it: %s %s %s', async (...options) => {
    const directory = mkdtempSync(join(tmpdir(), 'domtrail-tar-'));
    try {
      const content = Buffer.alloc(8 * 2 ** 20);
      // More runs than a header of the old format has room for, and one at the very end.
      for (let run = 0; run < 30; run++) content.write(`run ${run}`, run * 2 ** 18 + 12_345);
      content.write('end', content.length - 3);
      const file = join(directory, 'private.img');
      const handle = openSync(file, 'w');
      ftruncateSync(handle, content.length);
      for (let at = 0; at < content.length; at += 4096) {
        const block = content.subarray(at, at + 4096);
        if (block.some((byte) => byte !== 0)) writeSync(handle, block, 0, block.length, at);
      }
      closeSync(handle);
      const { stdout, status, stderr } = spawnSync('tar', ['-c', ...options, '-C', directory, 'private.img'], {
        maxBuffer: 2 ** 27,
      });
      expect([status, stderr.toString()]).toEqual([0, '']);
      const files = await read(stdout);
      expect(files.map(({ name, size }) => [name, size])).toEqual([['private.img', content.length]]);
      expect(files[0]?.content.equals(content)).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('that is cut off anywhere is found to be, never read as a shorter file', async () => {
    const bytes = bytesOf('tarwriter/alt-512.tar');
    for (let end = 0; end < bytes.length - 1024; end += 509)
      await expect(read(bytes.subarray(0, end))).rejects.toThrow(/./);
  });

  test('with any bytes changed gives files or an error, and nothing else', async () => {
    const archives = ['alt-512', 'map-over-512', 'tail-partial-zero'].map((name) => bytesOf(`tarwriter/${name}.tar`));
    const change = fc.tuple(fc.nat(), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(archives.length - 1),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        async (which, changes) => {
          const bytes = Buffer.from(archives[which] ?? Buffer.alloc(0));
          // The headers and the map are where an archive can lie.
          for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 4096)] = value;
          try {
            await read(bytes);
          } catch (error) {
            expect(error instanceof BadTar || error instanceof Truncated).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
