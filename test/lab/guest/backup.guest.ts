import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gzipThat, killedAfter } from '../../cli/gzip-that.ts';
import { noise } from '../../cli/noise.ts';
import { emptyHome, scratchDirectory, type Terminal, withoutProgress } from '../../cli/terminal.ts';
import { labPool, must, removeAll, volumes } from './real-bench.ts';

const PATIENCE = 900_000;
const MIB = 2 ** 20;

let terminal: Terminal;
let directory: string;
beforeEach(async () => {
  await labPool();
  terminal = await emptyHome();
  directory = await scratchDirectory();
  await writeFile(secret(), 'open sesame\n');
  await terminal.does('init', '--pool', 'qubes_dom0/vm-pool');
  await terminal.does('vm', 'create', 'debian', '--class', 'TemplateVM');
  for (const vm of ['mail', 'work']) {
    await terminal.does('vm', 'create', vm, '--class', 'AppVM', '--template', 'debian');
    const image = join(directory, `${vm}.img`);
    await writeFile(image, noise(vm, 1));
    await truncate(image, 12 * MIB);
    expect(await terminal.run(['volume', 'import', `${vm}:private`, image])).toMatchObject({ code: 0 });
    await terminal.does('vm', 'start', vm);
    // A session leaves data between holes, as a snapshot has it.
    await terminal.vmWrites(`${vm}:private`, `session of ${vm}`, 8 * MIB);
    await terminal.does('vm', 'stop', vm);
  }
});
afterEach(removeAll);

const secret = (): string => join(directory, 'passphrase');
const file = (): string => join(directory, 'b.qbk');
const withPassphrase = (...words: string[]): string[] => ['backup', ...words, '--passphrase-file', secret()];
const create = (): string[] => withPassphrase('create', '-o', file(), '--kdf-cost', '10', 'mail', 'work');

const succeeds = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await terminal.run(words);
  expect({ code, err: withoutProgress(err) }, words.join(' ')).toMatchObject({ code: 0 });
  return out;
};

/** Of a device, read as its VM would read it. */
const sha256 = async (vm: string): Promise<string> => {
  const { committedPath } = await terminal.info(`${vm}:private`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(committedPath ?? ''), hash);
  return hash.digest('hex');
};

/** What a backup may leave behind in the pool: nothing, and no hold on its metadata either. */
const poolIsFree = async (): Promise<void> => {
  expect((await volumes()).filter((name) => !/-(root|private)(-\d+-back)?$/.test(name))).toEqual([]);
  const status = await must('dmsetup', 'status', 'qubes_dom0-vm--pool-tpool');
  // START LENGTH thin-pool TRANSACTION METADATA DATA HELD-ROOT ...
  expect(status.split(' ')[6]).toBe('-');
};

const restores = async (): Promise<void> => {
  expect(await succeeds(...withPassphrase('verify', file()))).toContain('all of them whole');
  await succeeds(...withPassphrase('restore', file(), '--rename', 'work=work2', '--rename', 'mail=mail2'));
  for (const vm of ['work', 'mail']) expect(await sha256(`${vm}2`), vm).toBe(await sha256(vm));
  await terminal.isSound();
};

describe('backups of a real thin pool', () => {
  test('hold what the volumes held, and leave the pool as it was', { timeout: PATIENCE }, async () => {
    await succeeds(...create());
    await poolIsFree();
    await restores();
  });

  test('go on after a kill that found the metadata of the pool reserved', { timeout: PATIENCE }, async () => {
    const { signal } = await terminal.run(create(), { env: gzipThat(directory, 3, killedAfter(200_000)) });
    expect(signal).toBe('SIGKILL');
    expect(await readdir(directory)).not.toContain('b.qbk');
    await must('dmsetup', 'message', 'qubes_dom0-vm--pool-tpool', '0', 'reserve_metadata_snap');
    expect(await succeeds(...withPassphrase('resume'))).toContain('ok');
    await poolIsFree();
    await restores();
  });
});
