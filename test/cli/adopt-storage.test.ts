import { link, mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inFiles, knowsVms } from './known-vms.ts';
import { emptyHome, expectRefusal, readAt, type Terminal } from './terminal.ts';

const MIB = 2 ** 20;
const PRIVATE = 'work:private';

const poolOf = ({ home }: Terminal): string => join(home, 'pools', 'default');

/** A file as stock's reflink driver leaves it. */
const left = async (terminal: Terminal, name: string, text: string): Promise<void> => {
  const path = join(poolOf(terminal), name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  await truncate(path, MIB);
};

/** The template `debian` and the AppVM `work` that died running, in a pool that domtrail never saw. */
const stockHome = async (): Promise<Terminal> => {
  const terminal = await emptyHome();
  await terminal.does('init');
  knowsVms(terminal, inFiles, { name: 'debian', template: null }, { name: 'work', template: 'debian' });
  await rm(poolOf(terminal), { recursive: true });
  await left(terminal, 'vm-templates/debian/root.img', 'T1');
  await left(terminal, 'vm-templates/debian/root-precache.img', 'T1');
  await left(terminal, 'vm-templates/debian/private.img', 'P1');
  await left(terminal, 'appvms/work/private.img.3@2025-01-02T03:04:05Z', 'D0');
  await left(terminal, 'appvms/work/private.img', 'D1');
  await left(terminal, 'appvms/work/private-precache.img', 'D1');
  await left(terminal, 'appvms/work/private-dirty.img', 'D2');
  await left(terminal, 'appvms/work/private-import.img', 'I');
  await left(terminal, 'appvms/work/root-dirty.img', 'R');
  await left(terminal, 'appvms/work/volatile-dirty.img', 'V');
  await left(terminal, 'appvms/gone/private.img', 'G');
  // Stock gives an AppVM's root the template's own file under a second name.
  await link(join(poolOf(terminal), 'vm-templates/debian/root.img'), join(poolOf(terminal), 'appvms/work/root.img'));
  return terminal;
};

type Adopted = {
  readonly adopted: readonly string[];
  readonly trashed: readonly string[];
  readonly untouched: readonly { readonly name: string; readonly why: string }[];
};

const WORK = 'appvms/work';

describe('adopt --storage on a pool of files', () => {
  test('takes over a VM that died running: committed state, revision and session, with the files they were', async () => {
    const terminal = await stockHome();
    const inode = async (name: string) => (await stat(join(poolOf(terminal), name))).ino;
    const before = await inode(`${WORK}/private.img`);
    const { adopted, trashed, untouched } = await terminal.item<Adopted>('adopt', '--storage');
    expect(adopted).toEqual([
      `debian:root: adopted vm-templates/debian/root.img as current`,
      `debian:private: adopted vm-templates/debian/private.img as current`,
      `work:private: adopted ${WORK}/private.img.3@2025-01-02T03:04:05Z as revision 3`,
      `work:private: adopted ${WORK}/private.img as current`,
      `work:private: adopted ${WORK}/private-dirty.img as session`,
    ]);
    expect(trashed).toHaveLength(5);
    expect(untouched.map(({ name }) => name).sort()).toEqual(['appvms/gone/private.img', `${WORK}/root.img`]);
    expect(await inode(`${WORK}/private.img`)).toBe(before);
    expect(await terminal.info(PRIVATE)).toMatchObject({ state: 'dirty', size: MIB, revisions: [{ id: '3' }] });
    await terminal.isSound();
  });

  test('says what waits for a decision: fsck and recover name the session and the two ways on', async () => {
    const terminal = await stockHome();
    await mkdir(join(poolOf(terminal), '.domtrail'));
    expect(await terminal.does('fsck')).toMatch(/work:private has no disk: domtrail adopt --storage --plan/);
    await terminal.does('adopt', '--storage');
    expect(await terminal.does('fsck')).toMatch(/volume commit work:private keeps it, domtrail volume discard/);
    const recovered = await terminal.run(['recover']);
    expect({ code: recovered.code, out: recovered.out }).toEqual({ code: 0, out: 'nothing to recover\n' });
    expect(recovered.err).toMatch(/^work:private: a session that was not committed/);
  });

  test('afterwards it is a volume like any other: commit, start, stop, revert, gc', async () => {
    const terminal = await stockHome();
    await terminal.does('adopt', '--storage');
    await terminal.does('volume', 'commit', PRIVATE);
    expect(await terminal.contents(PRIVATE, 2)).toEqual(['D1', 'D2']);
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites(PRIVATE, 'D3');
    expect(readAt((await terminal.info('work:root')).runtimePath ?? '', 2)).toBe('T1');
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('volume', 'revert', PRIVATE);
    expect(await terminal.contents(PRIVATE, 2)).toEqual(['D3', 'D2']);
    await terminal.does('gc', '--yes');
    expect((await readdir(join(poolOf(terminal), '.domtrail'))).sort()).toEqual([]);
    expect(await readdir(join(poolOf(terminal), WORK))).toContain('root.img');
    await terminal.isSound();
  });

  test('blame and lineage tell that a disk was adopted, and by which command', async () => {
    const terminal = await stockHome();
    await terminal.does('adopt', '--storage', '-m', 'from stock');
    expect(await terminal.does('blame', PRIVATE)).toMatch(
      /AdoptStorage cmd:.*from stock(.|\n)*adopted appvms\/work\/private.img as current/,
    );
    const lineage = await terminal.does('lineage', PRIVATE);
    expect(lineage).toMatch(/^@ .* session, not committed, adopted$/m);
    expect(lineage).toMatch(/^o .* revision 3, adopted$/m);
    expect(lineage).toMatch(/2 leftovers of stock Qubes put aside, 2 still in the trash/);
  });

  test('--plan shows what would be taken as what and what stays, and leaves the pool as it is', async () => {
    const terminal = await stockHome();
    const before = await readdir(poolOf(terminal), { recursive: true });
    const ended = await terminal.run(['adopt', '--storage', '--plan']);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(/move import -> trash/);
    expect(ended.out).toMatch(/work:private: adopted appvms\/work\/private-dirty.img as session/);
    expect(ended.out).toMatch(
      /left alone: appvms\/gone\/private.img: no volume of the log has the id appvms\/gone\/private/,
    );
    expect(ended.out).toMatch(
      /left alone: appvms\/work\/root.img: it is another name of vm-templates\/debian\/root.img/,
    );
    expect(await readdir(poolOf(terminal), { recursive: true })).toEqual(before);
    expect((await terminal.info(PRIVATE)).state).toBe('absent');
  });

  test('done twice it does nothing the second time, and says where to look', async () => {
    const terminal = await stockHome();
    await terminal.does('adopt', '--storage');
    expect(await terminal.does('adopt', '--storage')).toMatch(/^nothing to adopt/);
    expect((await terminal.run(['adopt', '--storage', '--plan'])).code).toBe(0);
  });

  test('a VM whose files are open is left alone', async () => {
    const terminal = await stockHome();
    const { open } = await import('node:fs/promises');
    const handle = await open(join(poolOf(terminal), WORK, 'private-dirty.img'));
    try {
      expect(await terminal.does('adopt', '--storage')).toMatch(/private-dirty.img is open, so work seems to run/);
    } finally {
      await handle.close();
    }
    expect((await terminal.info(PRIVATE)).state).toBe('absent');
    expect((await terminal.info('debian:root')).state).toBe('clean');
  });

  test('a pool whose directory is away is not taken for an empty one', async () => {
    const terminal = await stockHome();
    await rm(poolOf(terminal), { recursive: true });
    expect((await terminal.run(['adopt', '--storage'])).code).not.toBe(0);
    expect((await terminal.info(PRIVATE)).state).toBe('absent');
  });

  test('refuses what it does not understand', async () => {
    const terminal = await stockHome();
    expectRefusal(await terminal.run(['adopt']), 'D_USAGE');
    expectRefusal(await terminal.run(['adopt', '--storage', '--pool', 'none']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['adopt', '--storage', 'nobody']), 'D_NOT_FOUND');
    expectRefusal(await terminal.run(['adopt', '--storage', '../x']), 'D_BAD_INPUT');
  });
});
