import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BackupReport } from '../../infrastructure/backup/verify.ts';
import { detailsOf } from '../backup/vectors.ts';
import { expectRefusal, scratchDirectory, Terminal } from './terminal.ts';

const NAME = 'g1-v4-gzip-pax';
const VECTOR = fileURLToPath(new URL(`../vectors/backup/${NAME}.qbk`, import.meta.url));
let terminal: Terminal;
let secret: string;

beforeAll(async () => {
  const directory = await scratchDirectory();
  terminal = new Terminal(join(directory, 'no-home'));
  secret = join(directory, 'passphrase');
  writeFileSync(secret, `${detailsOf(NAME).passphrase}\n`);
});

describe('backup, without a home', () => {
  test('verify prints a table that people can read, and a document for programs', async () => {
    const text = await terminal.does('backup', 'verify', VECTOR, '--passphrase-file', secret);
    expect(text).toMatch(/fedora-40 +root.img +6.0 MiB +1 +ok/);
    expect(text).toContain('2 VMs, 4 files: all of them whole');
    expect(text).toContain('not checked:');
    const report = await terminal.item<BackupReport>('backup', 'verify', VECTOR, '--passphrase-file', secret);
    expect(report).toMatchObject({ ok: true, format: 4 });
    expect(report.vms[1]?.files[0]).toMatchObject({ name: 'private.img', size: 4_194_304, chunks: 1, ok: true });
  });

  test('list prints what it says it holds', async () => {
    const listed = await terminal.item<{ vms: readonly { name: string; images: readonly string[] }[] }>(
      'backup',
      'list',
      VECTOR,
      '--passphrase-file',
      secret,
    );
    expect(listed.vms).toMatchObject([
      { name: 'fedora-40', images: ['root.img', 'private.img'] },
      { name: 'work', images: ['private.img'] },
    ]);
  });

  test('a damaged file is exit 6, with the document all the same', async () => {
    const damaged = join(await scratchDirectory(), 'damaged.qbk');
    copyFileSync(VECTOR, damaged);
    writeFileSync(damaged, 'damage', { flag: 'r+' });
    expectRefusal(await terminal.run(['backup', 'verify', damaged, '--passphrase-file', secret]), 'D_BACKUP_INVALID');
  });

  test('wrong passphrase, no passphrase, no file', async () => {
    const wrong = join(await scratchDirectory(), 'wrong');
    writeFileSync(wrong, 'guess\n');
    expectRefusal(await terminal.run(['backup', 'verify', VECTOR, '--passphrase-file', wrong]), 'D_VERIFY');
    expectRefusal(await terminal.run(['backup', 'verify', VECTOR]), 'D_USAGE');
    expectRefusal(
      await terminal.run(['backup', 'verify', '/nowhere', '--passphrase-file', secret]),
      'D_BACKUP_INVALID',
    );
    expectRefusal(await terminal.run(['backup', 'verify', VECTOR, '--passphrase-file', '/nowhere']), 'D_BAD_INPUT');
  });
});
