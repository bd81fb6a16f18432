import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, readAt, Terminal } from './terminal.ts';

const PRIVATE = 'work:private';

const session = async (terminal: Terminal, text: string): Promise<void> => {
  await terminal.does('vm', 'start', 'work');
  await terminal.vmWrites(PRIVATE, text);
  await terminal.does('vm', 'stop', 'work');
};

/** A home with two states of `work:private`, copied with its times as `cp -a` does. The first is gone. */
const movedHome = async (copy = ['-a']): Promise<Terminal> => {
  const terminal = await homeWithWork();
  await session(terminal, 'first');
  await session(terminal, 'other');
  const there = `${terminal.home}-moved`;
  execFileSync('cp', [...copy, terminal.home, there]);
  rmSync(terminal.home, { recursive: true });
  return new Terminal(there);
};

const image = (terminal: Terminal): string => join(terminal.home, 'pools/default/appvms/work/private.img');

describe('adopt --moved', () => {
  test('a copied home is taken for what it is: every disk proven, its history kept', async () => {
    const terminal = await movedHome();
    const { disk } = await terminal.item<{ disk: string }>('volume', 'info', PRIVATE);
    expect((await terminal.run(['fsck'])).code).toBe(2);
    expect(await terminal.does('adopt', '--moved')).toMatch(/^pool default lies in .*-moved\/pools\/default now$/m);
    const now = await terminal.item<{ disk: string }>('volume', 'info', PRIVATE);
    expect(now.disk).not.toBe(disk);
    expect(await terminal.contents(PRIVATE, 5)).toEqual(['first', 'other']);
    expect(await terminal.does('lineage', PRIVATE)).toMatch(/committed\n.*\no .*revision/);
    await terminal.isSound();
    await session(terminal, 'third');
    await terminal.does('volume', 'revert', PRIVATE);
    expect(await terminal.contents(PRIVATE, 5)).toEqual(['third', 'other']);
    await terminal.isSound();
  });

  test('a second move is proven as well', async () => {
    const terminal = await movedHome();
    await terminal.does('adopt', '--moved');
    const again = `${terminal.home}-again`;
    execFileSync('cp', ['-a', terminal.home, again]);
    const second = new Terminal(again);
    await second.does('adopt', '--moved');
    await second.isSound();
    expect(readAt(image(second), 5)).toBe('other');
  });

  test('renaming the home gives nothing but the pool another place', async () => {
    const terminal = await homeWithWork();
    const there = `${terminal.home}-renamed`;
    renameSync(terminal.home, there);
    const renamed = new Terminal(there);
    const said = await renamed.does('adopt', '--moved');
    expect(said).toMatch(/lies in/);
    expect(said).not.toMatch(/under new identities/);
    await renamed.isSound();
    expect(await renamed.does('adopt', '--moved')).toBe('nothing has moved\n');
  });

  test('--plan shows it and records nothing', async () => {
    const terminal = await movedHome();
    const ended = await terminal.run(['adopt', '--moved', '--plan']);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(/work:private: the same 2 disks under new identities, after a move/);
    expect((await terminal.run(['fsck'])).code).toBe(2);
  });

  test('a copy that lost its times is refused: nobody can tell what was written meanwhile', async () => {
    const terminal = await movedHome(['-r']);
    const ended = await terminal.run(['adopt', '--moved']);
    expectRefusal(ended, 'D_NOT_PROVEN');
    expect(ended.err).toMatch(/written after the log's last step/);
    expect((await terminal.run(['fsck'])).code).toBe(2);
  });

  test('a disk that is older than the log says is refused', async () => {
    const terminal = await movedHome();
    utimesSync(image(terminal), 1000, 1000);
    const ended = await terminal.run(['adopt', '--moved']);
    expectRefusal(ended, 'D_NOT_PROVEN');
    expect(ended.err).toMatch(/appvms\/work\/private.img: it is older than the disk the log knows/);
  });

  test('a missing file, another size, and a file in the place of two are refused', async () => {
    const terminal = await movedHome();
    execFileSync('truncate', ['--no-create', '--size=+512', image(terminal)]);
    expect((await terminal.run(['adopt', '--moved'])).err).toMatch(
      /private.img: it has 2147484160 bytes, not 2147483648/,
    );
    rmSync(image(terminal));
    expect((await terminal.run(['adopt', '--moved'])).err).toMatch(/work:private \(current\): its file is not there/);
  });

  test('one exchanged file is no move', async () => {
    const terminal = await homeWithWork();
    await session(terminal, 'first');
    const path = image(terminal);
    execFileSync('cp', ['-a', path, `${path}.copy`]);
    renameSync(`${path}.copy`, path);
    const ended = await terminal.run(['adopt', '--moved']);
    expectRefusal(ended, 'D_NOT_PROVEN');
    expect(ended.err).toMatch(/somebody exchanged files/);
    expect(existsSync(path)).toBe(true);
  });

  test('on a home where it was nothing has moved', async () => {
    const terminal = await homeWithWork();
    expect(await terminal.does('adopt', '--moved')).toBe('nothing has moved\n');
  });
});
