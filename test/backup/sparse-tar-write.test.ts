import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { sparseArchive } from '../../infrastructure/backup/sparse-tar/archive.ts';
import { padding } from '../../infrastructure/backup/sparse-tar/header.ts';
import { tarFiles } from '../../infrastructure/backup/sparse-tar/read.ts';
import { sparseFrame } from '../../infrastructure/backup/sparse-tar/write.ts';
import { rangesOf } from '../../infrastructure/drivers/file-reflink/image.ts';
import { imageAt } from '../../infrastructure/drivers/image.ts';
import { bytesOf } from './vectors.ts';

const directory = mkdtempSync(join(tmpdir(), 'domtrail-sparse-'));
afterAll(() => rmSync(directory, { recursive: true }));

type Case = { readonly in_size: number; readonly tar_sha256: string };
const CASES = Object.entries(JSON.parse(bytesOf('tarwriter/manifest.json').toString('utf8')) as Record<string, Case>);

const gathered = async (pieces: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
};

const file = (content: Buffer, name = 'private.img'): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

/** The archive of a file whose holes are found by reading it. */
const scannedArchive = (content: Buffer): Promise<Buffer> =>
  gathered(sparseArchive(imageAt(file(content), content.length, null), 'vm7/private.img', undefined, 4242));

const inputOf = (name: string): Buffer =>
  existsSync(new URL(`../vectors/backup/tarwriter/${name}.in.gz`, import.meta.url))
    ? gunzipSync(bytesOf(`tarwriter/${name}.in.gz`))
    : bytesOf(`tarwriter/${name}.in`);

/** Stock leaves out what fills the last block, before the two blocks of zeros that end an archive. */
const filledUp = (tar: Buffer, odd: number): Buffer =>
  Buffer.concat([tar.subarray(0, tar.length - 1024), Buffer.alloc(padding(odd)), Buffer.alloc(1024)]);

describe('the archive of an image', () => {
  test.each(CASES)('is what the stock archiver writes: %s', async (name, { in_size: size, tar_sha256: hash }) => {
    const golden = bytesOf(`tarwriter/${name}.tar`);
    expect(createHash('sha256').update(golden).digest('hex')).toBe(hash);
    const input = inputOf(name);
    const endsInData = input.subarray(size - (size % 512)).some((byte) => byte !== 0);
    expect((await scannedArchive(input)).equals(endsInData ? filledUp(golden, size) : golden)).toBe(true);
  });

  test('says sizes of 8 GiB and more in a PAX record, and zero in the header', () => {
    const size = 8 ** 11 + 2 ** 20;
    const { head } = sparseFrame({ name: 'vm7/private.img', size, extents: [{ offset: 0, length: size }] });
    const text = head.toString('latin1');
    expect(text).toContain(`GNU.sparse.realsize=${size}\n`);
    expect(text).toContain(`\n19 size=${size + 512}\n`);
    expect(head.toString('latin1', 1024 + 124, 1024 + 136)).toBe('00000000000\0');
  });
});

const extracted = (tar: Buffer, program: 'tar' | 'bsdtar'): Buffer => {
  const into = mkdtempSync(join(directory, 'into-'));
  const { status, stderr } = spawnSync(program, ['-xf', '-', '-C', into], { input: tar, maxBuffer: 2 ** 27 });
  expect({ program, status, said: stderr.toString() }).toEqual({ program, status: 0, said: '' });
  return readFileSync(join(into, 'vm7/private.img'));
};

describe('an archive of ours is read back', () => {
  const run = fc.record({ at: fc.nat(200_000), length: fc.integer({ min: 1, max: 9000 }), byte: fc.nat(255) });
  const content = fc.record({ size: fc.nat(200_000), runs: fc.array(run, { maxLength: 12 }) }).map(({ size, runs }) => {
    const bytes = Buffer.alloc(size);
    for (const { at, length, byte } of runs) bytes.fill(byte, Math.min(at, size), Math.min(at + length, size));
    return bytes;
  });

  test('by GNU tar, by bsdtar and by our own reader, whatever the image holds', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const tar = await scannedArchive(bytes);
        expect(tar.length % 512).toBe(0);
        for (const program of ['tar', 'bsdtar'] as const) expect(extracted(tar, program).equals(bytes)).toBe(true);
        const again = Buffer.alloc(bytes.length);
        for await (const { size, data } of tarFiles(
          (async function* () {
            yield tar;
          })(),
        )) {
          expect(size).toBe(bytes.length);
          for await (const piece of data) piece.bytes.copy(again, piece.offset);
        }
        expect(again.equals(bytes)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('also when the file system tells where its holes are', async () => {
    const path = join(directory, 'holes.img');
    const size = 64 * 2 ** 20;
    const handle = openSync(path, 'w');
    ftruncateSync(handle, size);
    for (const at of [0, 5 * 2 ** 20 + 100, 40 * 2 ** 20]) writeSync(handle, `data at ${at}`, at);
    closeSync(handle);
    const ranges = await rangesOf(path);
    expect(ranges?.length).toBe(3);
    const seen: number[] = [];
    const tar = await gathered(
      sparseArchive(imageAt(path, size, ranges), 'vm7/private.img', (offset) => seen.push(offset)),
    );
    expect(tar.length).toBeLessThan(2 ** 20);
    expect(seen).toEqual(ranges?.map(({ offset }) => offset));
    for (const program of ['tar', 'bsdtar'] as const)
      expect(extracted(tar, program).equals(readFileSync(path))).toBe(true);
  });

  test('the tar that was asked where they are does not wait for a reader of the data', async () => {
    const tars = (): readonly string[] =>
      readdirSync('/proc/self/task')
        .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'latin1').split(' '))
        .filter((child) => child.trim() !== '' && existsSync(`/proc/${child}/comm`))
        .filter((child) => readFileSync(`/proc/${child}/comm`, 'latin1').startsWith('tar'));
    const path = file(Buffer.alloc(8 * 2 ** 20, 1), 'large.img');
    expect(await rangesOf(path)).toEqual([{ offset: 0, length: 8 * 2 ** 20 }]);
    await vi.waitFor(() => expect(tars()).toEqual([]), { timeout: 20_000 });
  });

  test('a file without a hole is one range, an empty one none', async () => {
    expect(await rangesOf(file(Buffer.alloc(5000, 1), 'full.img'))).toEqual([{ offset: 0, length: 5000 }]);
    expect(await rangesOf(file(Buffer.alloc(0), 'empty.img'))).toEqual([]);
    expect(await rangesOf(join(directory, 'nowhere.img'))).toBeNull();
  });
});
