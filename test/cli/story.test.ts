import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyHome, expectRefusal, homeWithWork, readAt, type VmItem, type VolumeInfo } from './terminal.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

describe('a home', () => {
  test('is made once with its pools, labels and dom0, and a second init leaves it as it is', async () => {
    const terminal = await emptyHome();
    await terminal.does('init');
    const before = readFileSync(join(terminal.home, 'qubes.xml'), 'utf8');
    await terminal.does('init');
    expect(readFileSync(join(terminal.home, 'qubes.xml'), 'utf8')).toBe(before);
    expect(
      (await terminal.items<{ name: string; driver: string }>('pool', 'list')).map(
        ({ name, driver }) => `${name} ${driver}`,
      ),
    ).toEqual(['default file-reflink', 'linux-kernel linux-kernel']);
    expect(await terminal.items<VmItem>('vm', 'list')).toMatchObject([
      { name: 'dom0', class: 'AdminVM', state: 'Running' },
    ]);
    expect(statSync(join(terminal.home, 'ledger.db')).mode & 0o777).toBe(0o600);
    expect(statSync(terminal.home).mode & 0o777).toBe(0o700);
    await terminal.isSound();
  });

  test('is asked for by every other command, with the line to type', async () => {
    const terminal = await emptyHome();
    for (const argv of [
      ['status'],
      ['vm', 'list'],
      ['vm', 'start', 'work'],
      ['recover'],
      ['fsck'],
      ['verify'],
      ['log'],
      ['gc', '--yes'],
    ]) {
      const ended = await terminal.run(argv);
      expectRefusal(ended, 'D_HOME_MISSING');
      expect(ended.err).toContain(`next: domtrail init --home ${terminal.home}`);
    }
    expect(existsSync(terminal.home)).toBe(false);
  });

  test('is the one of --home, before or after the command, rather than that of DOMTRAIL_HOME', async () => {
    const terminal = await emptyHome();
    const other = `${terminal.home}-other`;
    await terminal.does('init', '--home', other);
    expect(existsSync(join(other, 'ledger.db'))).toBe(true);
    expect(existsSync(terminal.home)).toBe(false);
    await terminal.does('vm', 'list', '--home', other);
    await terminal.does('--home', other, 'vm', 'list');
  });
});

describe('the life of a volume', () => {
  test('a stop commits what the VM wrote, and the revision holds the old data', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'monday');
    expect(await terminal.committed('work:private', 6)).toBe('......');
    await terminal.does('vm', 'stop', 'work', '-m', 'end of monday');
    expect(await terminal.committed('work:private', 6)).toBe('monday');
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'tuesday');
    await terminal.does('vm', 'stop', 'work');
    const info = await terminal.info('work:private');
    expect(readAt(info.committedPath ?? '', 7)).toBe('tuesday');
    expect(info.revisions).toEqual([
      expect.objectContaining({ position: expect.any(Number), time: TIME, pinned: false }),
    ]);
    expect(await terminal.contents('work:private', 7)).toEqual(['monday.', 'tuesday']);
    await terminal.does('volume', 'revert', 'work:private');
    expect(await terminal.committed('work:private', 7)).toBe('monday.');
    await terminal.does('volume', 'revert', 'work:private');
    expect(await terminal.committed('work:private', 7)).toBe('tuesday');
    await terminal.isSound();
  });

  test('volume info has exactly the documented fields, running and stopped', async () => {
    const terminal = await homeWithWork();
    const file = (name: string) => join(terminal.home, 'pools/default/appvms/work', name);
    const stopped = {
      vm: 'work',
      name: 'private',
      pool: 'default',
      vid: 'appvms/work/private',
      size: 2 ** 31,
      rw: true,
      snapOnStart: false,
      saveOnStop: true,
      revisionsToKeep: 1,
      source: null,
      state: 'clean',
      committedPath: file('private.img'),
      runtimePath: null,
      revisions: [],
    };
    expect(await terminal.info('work:private')).toMatchObject(stopped);
    expect(await terminal.info('work:root')).toMatchObject({
      source: 'debian:root',
      snapOnStart: true,
      saveOnStop: false,
      rw: true,
      state: 'absent',
      committedPath: null,
      runtimePath: null,
    });
    await terminal.does('vm', 'start', 'work');
    expect(await terminal.info('work:private')).toMatchObject({
      ...stopped,
      state: 'running',
      runtimePath: file('private-dirty.img'),
    });
    expect(await terminal.info('work:root')).toMatchObject({
      state: 'running',
      committedPath: null,
      runtimePath: file('root-dirty.img'),
    });
    expect(await terminal.stateOf('work')).toBe('Running');
  });

  test('vm stop --discard throws the session away, vm kill keeps it', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'unwanted');
    await terminal.does('vm', 'stop', 'work', '--discard');
    expect(await terminal.committed('work:private', 8)).toBe('........');
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'wanted');
    await terminal.does('vm', 'kill', 'work');
    expect(await terminal.committed('work:private', 6)).toBe('wanted');
    await terminal.isSound();
  });

  test("a template's change reaches its AppVM only after the template's shutdown and the AppVM's own restart", async () => {
    const terminal = await homeWithWork();
    const seen = async () => readAt((await terminal.info('work:root')).runtimePath ?? '', 7);
    await terminal.does('vm', 'start', 'work');
    await terminal.does('vm', 'start', 'debian');
    await terminal.vmWrites('debian:root', 'upgrade');
    expect(await seen()).toBe('.......');
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('vm', 'start', 'work');
    expect(await seen()).toBe('.......');
    await terminal.does('vm', 'stop', 'debian');
    expect(await seen()).toBe('.......');
    expect(await terminal.info('work:root')).toMatchObject({ outdated: true });
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('vm', 'start', 'work');
    expect(await seen()).toBe('upgrade');
    expect(await terminal.info('work:root')).toMatchObject({ outdated: false });
    await terminal.vmWrites('work:root', 'changed');
    await terminal.does('vm', 'stop', 'work');
    expect(await terminal.committed('debian:root', 7)).toBe('upgrade');
    await terminal.isSound();
  });

  test('a volatile volume is made at start, empty each time, and never at create', async () => {
    const terminal = await homeWithWork();
    const file = join(terminal.home, 'pools/default/appvms/work/volatile-dirty.img');
    expect(await terminal.info('work:volatile')).toMatchObject({
      state: 'absent',
      committedPath: null,
      runtimePath: null,
    });
    expect(existsSync(file)).toBe(false);
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:volatile', 'scratch');
    await terminal.does('vm', 'stop', 'work');
    expect(existsSync(file)).toBe(false);
    await terminal.does('vm', 'start', 'work');
    expect(readAt((await terminal.info('work:volatile')).runtimePath ?? '', 7)).toBe('.......');
  });

  test('revisions_to_keep=-1 gives the VM the committed disk itself and keeps no revision', async () => {
    const terminal = await homeWithWork();
    await terminal.does('volume', 'set', 'work:private', 'revisions_to_keep=-1');
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'direct');
    expect(existsSync(join(terminal.home, 'pools/default/appvms/work/private.img'))).toBe(false);
    expectRefusal(await terminal.run(['volume', 'export', 'work:private']), 'D_NOT_HALTED');
    await terminal.does('vm', 'stop', 'work', '--discard');
    expect(await terminal.committed('work:private', 6)).toBe('direct');
    expect((await terminal.info('work:private')).revisions).toEqual([]);
    await terminal.isSound();
  });
});

describe('content in and out', () => {
  test('import and export carry the same bytes, through files and through pipes', async () => {
    const terminal = await homeWithWork();
    const content = randomBytes(3 * 512 * 1024);
    const file = join(terminal.home, 'in.img');
    const target = join(terminal.home, 'out.img');
    await writeFile(file, content);
    await terminal.does('volume', 'import', 'work:private', file);
    expect((await terminal.info('work:private')).size).toBe(content.length);
    await terminal.does('volume', 'export', 'work:private', '-o', target);
    expect(readFileSync(target).equals(content)).toBe(true);
    const piped = await terminal.run(['volume', 'export', 'work:private']);
    expect(piped).toMatchObject({ code: 0, err: '' });
    expect(piped.bytes.equals(content)).toBe(true);
    const short = randomBytes(1000);
    expect(await terminal.run(['volume', 'import', 'work:private', '-'], { input: short })).toMatchObject({
      code: 0,
      err: '',
    });
    const info = await terminal.info('work:private');
    expect(info.size).toBe(content.length);
    const after = readFileSync(info.committedPath ?? '');
    expect(after.subarray(0, 1000).equals(short)).toBe(true);
    expect(after.subarray(1000).every((byte) => byte === 0)).toBe(true);
    expect(info.revisions).toHaveLength(1);
    await terminal.isSound();
  });

  test('the size of an imported file is rounded up to whole sectors', async () => {
    const terminal = await homeWithWork();
    const file = join(terminal.home, 'odd.img');
    await writeFile(file, randomBytes(513));
    await terminal.does('volume', 'import', 'work:private', file);
    const { size, committedPath } = await terminal.info('work:private');
    expect(size).toBe(1024);
    expect(statSync(committedPath ?? '').size).toBe(1024);
  });

  test('more data than the volume holds is refused and the volume is as before', async () => {
    const terminal = await homeWithWork();
    const file = join(terminal.home, 'small.img');
    await writeFile(file, Buffer.alloc(1024, 'a'));
    await terminal.does('volume', 'import', 'work:private', file);
    const ended = await terminal.run(['volume', 'import', 'work:private', '-'], { input: Buffer.alloc(1025, 'b') });
    expectRefusal(ended, 'D_TOO_MUCH_DATA');
    expect(await terminal.committed('work:private', 4)).toBe('aaaa');
    await terminal.isSound();
  });
});

describe('shape', () => {
  test('resize grows at once, and shrinks only when asked to, with the uncut state kept', async () => {
    const terminal = await homeWithWork();
    await terminal.does('volume', 'resize', 'work:private', '3GiB');
    const grown = await terminal.info('work:private');
    expect([grown.size, statSync(grown.committedPath ?? '').size]).toEqual([3 * 2 ** 30, 3 * 2 ** 30]);
    expectRefusal(await terminal.run(['volume', 'resize', 'work:private', '1G']), 'D_SHRINK');
    await terminal.does('volume', 'resize', 'work:private', '1G', '--shrink');
    const shrunk = await terminal.info('work:private');
    expect(shrunk.size).toBe(2 ** 30);
    expect(shrunk.revisions).toHaveLength(1);
    await terminal.does('vm', 'start', 'work');
    await terminal.does('volume', 'resize', 'work:private', '2G');
    expect(statSync((await terminal.info('work:private')).runtimePath ?? '').size).toBe(2 ** 31);
    await terminal.does('vm', 'stop', 'work');
    expect((await terminal.info('work:private')).size).toBe(2 ** 31);
    await terminal.isSound();
  });

  test('a clone has the committed data, its own name and its own life', async () => {
    const terminal = await homeWithWork();
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'kept');
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('vm', 'clone', 'work', 'copy');
    expect(await terminal.committed('copy:private', 4)).toBe('kept');
    await terminal.does('vm', 'start', 'copy');
    await terminal.vmWrites('copy:private', 'mine');
    await terminal.does('vm', 'stop', 'copy');
    expect(await terminal.committed('work:private', 4)).toBe('kept');
    await terminal.does('volume', 'clone', 'copy:private', 'work:private');
    expect(await terminal.committed('work:private', 4)).toBe('mine');
    await terminal.isSound();
  });

  test('a pinned revision outlives retention, guards its VM, and goes when it is unpinned', async () => {
    const terminal = await homeWithWork();
    const session = async (text: string) => {
      await terminal.does('vm', 'start', 'work');
      await terminal.vmWrites('work:private', text);
      await terminal.does('vm', 'stop', 'work');
    };
    await session('one');
    const pinned = (await terminal.info('work:private')).revisions[0]?.id ?? '';
    await terminal.does('volume', 'pin', 'work:private', pinned);
    await session('two');
    await session('three');
    const { revisions } = await terminal.info('work:private');
    expect(revisions).toHaveLength(2);
    expect(revisions).toContainEqual(expect.objectContaining({ id: pinned, pinned: true }));
    expectRefusal(await terminal.run(['vm', 'remove', 'work', '--yes']), 'D_PINNED');
    await terminal.does('volume', 'unpin', 'work:private', pinned);
    await terminal.does('vm', 'remove', 'work', '--yes');
    await terminal.isSound();
  });

  test('remove asks for --yes without a terminal, then takes every file of the VM with it', async () => {
    const terminal = await homeWithWork();
    expectRefusal(await terminal.run(['vm', 'remove', 'work']), 'D_NEEDS_YES');
    expectRefusal(await terminal.run(['vm', 'remove', 'debian', '--yes']), 'D_IN_USE');
    await terminal.does('vm', 'remove', 'work', '--yes');
    expect(await terminal.stateOf('work')).toBeUndefined();
    expect(existsSync(join(terminal.home, 'pools/default/appvms/work/private.img'))).toBe(false);
    expect(readFileSync(join(terminal.home, 'qubes.xml'), 'utf8')).not.toContain('"work"');
    await terminal.does('gc', '--all', '--yes');
    await terminal.isSound();
  });

  test('extra volumes of any VM start and stop like the default ones', async () => {
    const terminal = await homeWithWork();
    await terminal.does('volume', 'add', 'debian', 'tools', '--size', '1M', '--save-on-stop');
    await terminal.does('volume', 'add', 'work', 'tools', '--snap-on-start', '--source', 'debian:tools');
    await terminal.does('volume', 'add', 'work', 'data', '--size', '1MiB', '--save-on-stop');
    await terminal.does('volume', 'add', 'work', 'heap', '--size', '65536');
    await terminal.does('vm', 'start', 'debian');
    await terminal.vmWrites('debian:tools', 'hammer');
    await terminal.does('vm', 'stop', 'debian');
    await terminal.does('vm', 'start', 'work');
    expect(readAt((await terminal.info('work:tools')).runtimePath ?? '', 6)).toBe('hammer');
    await terminal.vmWrites('work:data', 'nails');
    expect((await terminal.info('work:heap')).state).toBe('running');
    await terminal.does('vm', 'stop', 'work');
    expect(await terminal.committed('work:data', 5)).toBe('nails');
    expect(await terminal.info('work:heap')).toMatchObject({ state: 'absent', size: 65536 });
    expectRefusal(await terminal.run(['volume', 'remove', 'work:data']), 'D_NEEDS_YES');
    await terminal.does('volume', 'remove', 'work:data', '--yes');
    await terminal.isSound();
  });

  test('a disposable starts from its template and keeps nothing', async () => {
    const terminal = await homeWithWork();
    expectRefusal(
      await terminal.run(['vm', 'create', 'disp1', '--class', 'DispVM', '--template', 'work']),
      'D_REFERENCE_INVALID',
    );
    await terminal.does('vm', 'prefs', 'work', 'template_for_dispvms', 'True');
    await terminal.does('vm', 'start', 'work');
    await terminal.vmWrites('work:private', 'skeleton');
    await terminal.does('vm', 'stop', 'work');
    await terminal.does('vm', 'create', 'disp1', '--class', 'DispVM', '--template', 'work');
    await terminal.does('vm', 'start', 'disp1');
    expect(readAt((await terminal.info('disp1:private')).runtimePath ?? '', 8)).toBe('skeleton');
    await terminal.vmWrites('disp1:private', 'secret!!');
    await terminal.does('vm', 'stop', 'disp1');
    expect(await terminal.item<VolumeInfo>('volume', 'info', 'disp1:private')).toMatchObject({
      state: 'absent',
      runtimePath: null,
    });
    expect(await terminal.committed('work:private', 8)).toBe('skeleton');
    await terminal.isSound();
  });

  test('--plan shows the steps, changes nothing and exits 2', async () => {
    const terminal = await homeWithWork();
    const before = (await terminal.document('vm', 'list')).as_of.event;
    const planned = await terminal.run(['vm', 'start', 'work', '--plan']);
    expect(planned).toMatchObject({ code: 2, err: '' });
    expect(planned.out).toContain('Plan: ');
    expect((await terminal.document('vm', 'list')).as_of.event).toBe(before);
    expect(await terminal.stateOf('work')).toBe('Halted');
    expect(await terminal.run(['vm', 'stop', 'work', '--plan'])).toMatchObject({ code: 0 });
  });
});
