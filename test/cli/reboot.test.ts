import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectRefusal, homeWithWork, readAt, type Terminal } from './terminal.ts';

const image = (terminal: Terminal, name: string): string => join(terminal.home, 'pools/default/appvms/work', name);

/** `work` was running and had written `crash` when the host went down; another boot has begun. */
const homeAfterCrash = async (): Promise<Terminal> => {
  const terminal = await homeWithWork();
  await terminal.does('vm', 'start', 'work');
  await terminal.vmWrites('work:private', 'saved');
  await terminal.does('vm', 'stop', 'work');
  await terminal.does('vm', 'start', 'work');
  await terminal.vmWrites('work:private', 'crash');
  await terminal.vmWrites('work:root', 'crash');
  await terminal.vmWrites('work:volatile', 'crash');
  terminal.env = { DOMTRAIL_BOOT_ID: 'the-next-boot' };
  return terminal;
};

describe('after a reboot of the host', () => {
  test('recover records that the running VMs are halted, and keeps their sessions as dirty', async () => {
    const terminal = await homeAfterCrash();
    const recovered = await terminal.items<{ outcome: string }>('recover');
    expect(recovered).toMatchObject([{ outcome: 'completed' }]);
    expect(await terminal.stateOf('work')).toBe('Halted');
    expect(await terminal.info('work:private')).toMatchObject({ state: 'dirty', runtimePath: null });
    expect(readAt(image(terminal, 'private-dirty.img'), 5)).toBe('crash');
    expect(await terminal.contents('work:private', 5)).toEqual(['.....', 'saved']);
    expect(await terminal.items('recover')).toEqual([]);
    await terminal.isSound();
  });

  test('what no stop would keep is gone: sessions of template snapshots and volatile disks', async () => {
    const terminal = await homeAfterCrash();
    await terminal.recovers();
    expect(await terminal.info('work:root')).toMatchObject({ state: 'absent', runtimePath: null });
    expect(await terminal.info('work:volatile')).toMatchObject({ state: 'absent', runtimePath: null });
    expect([existsSync(image(terminal, 'root-dirty.img')), existsSync(image(terminal, 'volatile-dirty.img'))]).toEqual([
      false,
      false,
    ]);
    await terminal.isSound();
  });

  test('reading commands change nothing, and status says what to do', async () => {
    const terminal = await homeAfterCrash();
    const before = (await terminal.document('vm', 'list')).as_of.event;
    const status = await terminal.does('status');
    expect(status).toContain('ran when the host went down');
    expect(status).toContain('next: domtrail recover');
    expect((await terminal.document('vm', 'list')).as_of.event).toBe(before);
    await terminal.recovers();
    expect(await terminal.does('status')).toContain('domtrail volume commit work:private   or   volume discard');
  });

  test('the next start goes on with the session, and its stop commits it', async () => {
    const terminal = await homeAfterCrash();
    const started = await terminal.run(['vm', 'start', 'work']);
    expect(started.code).toBe(0);
    expect(started.err).toContain('recovered: RecordReboot');
    expect(readAt((await terminal.info('work:private')).runtimePath ?? '', 5)).toBe('crash');
    expect(readAt((await terminal.info('work:root')).runtimePath ?? '', 5)).toBe('.....');
    expect(readAt((await terminal.info('work:volatile')).runtimePath ?? '', 5)).toBe('.....');
    await terminal.does('vm', 'stop', 'work');
    expect(await terminal.contents('work:private', 5)).toEqual(['saved', 'crash']);
    await terminal.isSound();
  });

  test('volume commit keeps the session as the committed state', async () => {
    const terminal = await homeAfterCrash();
    await terminal.recovers();
    await terminal.does('volume', 'commit', 'work:private');
    expect(await terminal.contents('work:private', 5)).toEqual(['saved', 'crash']);
    expect((await terminal.info('work:private')).state).toBe('clean');
    await terminal.isSound();
  });

  test('volume discard throws the session away', async () => {
    const terminal = await homeAfterCrash();
    await terminal.recovers();
    await terminal.does('volume', 'discard', 'work:private');
    expect(await terminal.contents('work:private', 5)).toEqual(['.....', 'saved']);
    expect((await terminal.info('work:private')).state).toBe('clean');
    expect(existsSync(image(terminal, 'private-dirty.img'))).toBe(false);
    await terminal.isSound();
  });

  test('nothing decides by itself: other commands and further reboots leave the session as it is', async () => {
    const terminal = await homeAfterCrash();
    expect((await terminal.run(['vm', 'create', 'other', '--class', 'AppVM', '--template', 'debian'])).code).toBe(0);
    await terminal.does('vm', 'start', 'other');
    terminal.env = { DOMTRAIL_BOOT_ID: 'yet-another-boot' };
    await terminal.recovers();
    await terminal.does('gc', '--yes');
    await terminal.does('vm', 'stop', 'work');
    expect(await terminal.info('work:private')).toMatchObject({ state: 'dirty' });
    expect(readAt(image(terminal, 'private-dirty.img'), 5)).toBe('crash');
    expect(await terminal.contents('work:private', 5)).toEqual(['.....', 'saved']);
    await terminal.isSound();
  });

  test('what would overwrite or overlook the session is refused until somebody decides', async () => {
    const terminal = await homeAfterCrash();
    await terminal.recovers();
    await terminal.does('vm', 'create', 'other', '--class', 'AppVM', '--template', 'debian');
    const refused: readonly (readonly string[])[] = [
      ['vm', 'clone', 'work', 'copy'],
      ['volume', 'clone', 'work:private', 'other:private'],
      ['volume', 'clone', 'other:private', 'work:private'],
      ['volume', 'resize', 'work:private', '1G', '--shrink'],
      ['volume', 'import', 'work:private', '-'],
      ['volume', 'export', 'work:private'],
      ['volume', 'revert', 'work:private'],
      ['volume', 'set', 'work:private', 'revisions_to_keep=-1'],
    ];
    for (const argv of refused) {
      const ended = await terminal.run(argv);
      expect(ended.err, argv.join(' ')).toContain('error[D_DIRTY]');
      expectRefusal(ended, 'D_DIRTY');
      expect(ended.err).toContain('domtrail volume discard work:private');
    }
    expect(readAt(image(terminal, 'private-dirty.img'), 5)).toBe('crash');
    await terminal.isSound();
  });

  test('growing the volume reaches the session, which keeps its data', async () => {
    const terminal = await homeAfterCrash();
    await terminal.recovers();
    await terminal.does('volume', 'resize', 'work:private', '4G');
    expect(statSync(image(terminal, 'private-dirty.img')).size).toBe(2 ** 32);
    expect(await terminal.info('work:private')).toMatchObject({ state: 'dirty', size: 2 ** 32 });
    await terminal.does('volume', 'commit', 'work:private');
    expect(await terminal.contents('work:private', 5)).toEqual(['saved', 'crash']);
    await terminal.isSound();
  });

  test('a volume without snapshots keeps what was written, because it was written to the committed disk', async () => {
    const terminal = await homeWithWork();
    await terminal.does('volume', 'set', 'work:private', 'revisions_to_keep=-1');
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'crash');
    terminal.env = { DOMTRAIL_BOOT_ID: 'the-next-boot' };
    await terminal.recovers();
    expect(await terminal.stateOf('work')).toBe('Halted');
    expect(await terminal.committed('work:private', 5)).toBe('crash');
    await terminal.does('vm', 'start', 'work');
    expect(readAt((await terminal.info('work:private')).runtimePath ?? '', 5)).toBe('crash');
    await terminal.isSound();
  });

  test('a command that the crash interrupted is finished first, then the reboot is recorded', async () => {
    const terminal = await homeAfterCrash();
    terminal.env = {};
    expect((await terminal.run(['vm', 'stop', 'work'], { env: { DOMTRAIL_FAULT: 'kill@after-step:3' } })).signal).toBe(
      'SIGKILL',
    );
    terminal.env = { DOMTRAIL_BOOT_ID: 'the-next-boot' };
    expect(await terminal.items<{ name: string; outcome: string }>('recover')).toMatchObject([
      { name: 'StopVM', outcome: 'completed' },
    ]);
    expect(await terminal.contents('work:private', 5)).toEqual(['saved', 'crash']);
    await terminal.isSound();
  });
});
