import { expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import {
  backsOf,
  committed,
  dyingAt,
  EXTENT,
  type HostOf,
  kept,
  MIB,
  running,
  session,
  uuids,
  withBox,
  withWork,
} from './suite.ts';

const KEY = 'box:private';

/** Creating, starting, stopping and removing (storage_lvm.py 000 to 014, 050, 100, 130, TC_01). */
export const sessions = (host: HostOf): void => {
  test('a VM that is created has its disks, named as stock names them, and a removed one has none (001, 003, TC_01 004)', async () => {
    await withWork(host());
    expect(await host().names()).toEqual(['vm-fedora-private', 'vm-fedora-root', 'vm-work-private']);
    const { pool, vid, size, committedPath, runtimePath, state } = host().info('work:private');
    expect({ pool, vid, runtimePath, state }).toEqual({
      pool: 'lvm',
      vid: 'qubes_dom0/vm-work-private',
      runtimePath: null,
      state: 'clean',
    });
    expect(committedPath).toBe('/dev/mapper/qubes_dom0-vm--work--private');
    expect((await host().lv('vm-work-private')).bytes).toBe(size);
    expect(await committed(host(), 'work:private')).toBe('.....');
    await host().does(to.removeVm('work'));
    expect(await host().names()).toEqual(['vm-fedora-private', 'vm-fedora-root']);
    expect(await host().problems()).toEqual([]);
  });

  test('a start works on a snapshot with an id of its own; a stop makes that the volume and keeps what was (008, 010)', async () => {
    await withBox(host());
    await host().does(to.keep(KEY, 2));
    const ids = [(await host().lv('vm-box-private')).uuid];
    for (const text of ['one..', 'two..', 'three']) {
      const { committedPath } = host().info(KEY);
      await host().does(to.start('box'));
      const snap = await host().lv('vm-box-private-snap');
      expect(snap).toMatchObject({ origin: ids.at(-1), active: true });
      expect(ids).not.toContain(snap.uuid);
      expect(host().info(KEY)).toMatchObject({ state: 'running', committedPath });
      await host().vmWrites(KEY, text);
      await host().does(to.stop('box'));
      ids.push(snap.uuid);
      expect((await host().lv('vm-box-private')).uuid).toBe(snap.uuid);
    }
    expect(uuids(await backsOf(host(), KEY))).toEqual(ids.slice(1, 3));
    expect(await kept(host(), KEY)).toEqual(['one..', 'two..']);
    expect(await committed(host(), KEY)).toBe('three');
    expect(await host().names()).not.toContain('vm-box-private-snap');
    expect(await host().problems()).toEqual([]);
    await host().does(to.removeVm('box'));
    expect(await host().names()).toEqual([]);
  });

  test('without revisions to keep none is there after a stop (013)', async () => {
    await withBox(host());
    await host().does(to.keep(KEY, 0));
    await session(host(), KEY, 'hello');
    expect(await backsOf(host(), KEY)).toEqual([]);
    expect(await committed(host(), KEY)).toBe('hello');
  });

  test('a commit that died between its renames leaves only revisions and the session, and is finished (009)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    await host().does(to.start('box'));
    await host().vmWrites(KEY, 'other');
    const before = await host().lv('vm-box-private');
    const snap = await host().lv('vm-box-private-snap');
    // Behind the shut down, the root volume's step, and the first of the two renames.
    await expect(host().submit(to.stop('box'), dyingAt('after-step:3'))).rejects.toThrow('killed');
    host().dies();
    expect(await host().names()).not.toContain('vm-box-private');
    expect(await host().lv('vm-box-private-snap')).toMatchObject({ uuid: snap.uuid });
    expect(uuids(await backsOf(host(), KEY)).at(-1)).toBe(before.uuid);
    await host().recover();
    expect(await host().lv('vm-box-private')).toMatchObject({ uuid: snap.uuid });
    expect(await committed(host(), KEY)).toBe('other');
    expect(await kept(host(), KEY)).toEqual(['first']);
    expect(await host().problems()).toEqual([]);
  });

  test('what a dead host left is kept as it is by the next start and committed by its stop (009, 012, 014)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    await host().does(to.start('box'));
    await host().vmWrites(KEY, 'other');
    const snap = await host().lv('vm-box-private-snap');
    const backs = uuids(await backsOf(host(), KEY));
    await host().reboots();
    await host().recover();
    expect(host().info(KEY)).toMatchObject({ state: 'dirty', runtimePath: null });
    await host().does(to.start('box'));
    expect((await host().lv('vm-box-private-snap')).uuid).toBe(snap.uuid);
    expect(uuids(await backsOf(host(), KEY))).toEqual(backs);
    expect(await running(host(), KEY)).toBe('other');
    await host().does(to.stop('box'));
    expect((await host().lv('vm-box-private')).uuid).toBe(snap.uuid);
    expect(await committed(host(), KEY)).toBe('other');
    expect(await kept(host(), KEY)).toEqual(['first']);
    expect(await host().problems()).toEqual([]);
  });

  test('what a dead host left can be thrown away instead, which leaves what was committed', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    const { uuid } = await host().lv('vm-box-private');
    await host().does(to.start('box'));
    await host().vmWrites(KEY, 'other');
    await host().reboots();
    await host().recover();
    await host().does(to.discard(KEY));
    expect((await host().lv('vm-box-private')).uuid).toBe(uuid);
    expect(await committed(host(), KEY)).toBe('first');
    expect(await host().names()).not.toContain('vm-box-private-snap');
  });

  test('a volume that starts from another sees a change only after the other is committed and it starts itself (050, integ 003, 004)', async () => {
    await withWork(host());
    await session(host(), 'fedora:root', 'old..');
    const source = await host().lv('vm-fedora-root');
    expect(host().info('work:root')).toMatchObject({ state: 'absent', committedPath: null, outdated: false });
    await host().does(to.start('fedora'));
    await host().vmWrites('fedora:root', 'new..');
    await host().does(to.start('work'));
    expect((await host().lv('vm-work-root-snap')).origin).toBe(source.uuid);
    expect(await running(host(), 'work:root')).toBe('old..');
    await host().vmWrites('work:root', 'own..');
    await host().does(to.stop('fedora'));
    expect(host().info('work:root')).toMatchObject({ state: 'running', outdated: true });
    expect(await running(host(), 'work:root')).toBe('own..');
    await host().does(to.stop('work'));
    expect(host().info('work:root')).toMatchObject({ state: 'absent', outdated: false });
    await host().does(to.start('work'));
    expect(await running(host(), 'work:root')).toBe('new..');
    expect((await host().lv('vm-work-root-snap')).origin).toBe((await host().lv('vm-fedora-root')).uuid);
  });

  test('a volatile volume is a new, empty disk at each start (040, integ 000)', async () => {
    await withWork(host());
    expect(await host().names()).not.toContain('vm-work-volatile');
    await host().does(to.start('work'));
    const first = await host().lv('vm-work-volatile');
    for (const offset of [0, MIB]) await host().vmWrites('work:volatile', 'trace', offset);
    await host().does(to.stop('work'));
    expect(await host().names()).not.toContain('vm-work-volatile');
    await host().does(to.start('work'));
    expect((await host().lv('vm-work-volatile')).uuid).not.toBe(first.uuid);
    for (const offset of [0, MIB]) expect(await running(host(), 'work:volatile', 5, offset)).toBe('.....');
  });

  test('a VM without snapshots works on the committed disk itself and loses its old revisions (130, integ 006)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    const { uuid } = await host().lv('vm-box-private');
    await host().does(to.keep(KEY, -1), to.start('box'));
    const { committedPath, runtimePath } = host().info(KEY);
    expect(runtimePath).toBe(committedPath);
    expect(await host().names()).not.toContain('vm-box-private-snap');
    expect(await backsOf(host(), KEY)).toEqual([]);
    await host().vmWrites(KEY, 'other');
    expect(await host().refusal(to.exportTo(KEY, host().outFile()))).toBe('D_NOT_HALTED');
    expect(await host().refusal(to.cloneVm('box', 'copy'))).toBe('D_NOT_HALTED');
    await host().does(to.stop('box'));
    expect((await host().lv('vm-box-private')).uuid).toBe(uuid);
    expect(await committed(host(), KEY)).toBe('other');
    await host().does(to.cloneVm('box', 'copy'));
    expect(await committed(host(), 'copy:private')).toBe('other');
  });

  test('a resize reaches a halted volume at once, and of a running one only the session until it stops (006, 007)', async () => {
    await withBox(host());
    const { size } = host().info(KEY);
    await host().does(to.resize(KEY, size + EXTENT));
    expect((await host().lv('vm-box-private')).bytes).toBe(size + EXTENT);
    expect(host().info(KEY).size).toBe(size + EXTENT);
    await host().does(to.start('box'), to.resize(KEY, size + 2 * EXTENT));
    expect((await host().lv('vm-box-private-snap')).bytes).toBe(size + 2 * EXTENT);
    expect((await host().lv('vm-box-private')).bytes).toBe(size + EXTENT);
    await host().does(to.stop('box'));
    expect((await host().lv('vm-box-private')).bytes).toBe(size + 2 * EXTENT);
    expect(host().info(KEY).size).toBe(size + 2 * EXTENT);
    expect(await host().refusal(to.resize(KEY, size))).toBe('D_SHRINK');
  });

  test('stock lists the volumes and none of the disks around them (100)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    await host().does(to.start('box'));
    const listed = (await host().names()).filter((name) => !/-(snap|import|back)$/.test(name));
    expect(listed).toEqual(['vm-box-private', 'vm-box-root', 'vm-box-volatile']);
    await host().does(to.kill('box'), to.removeVm('box'));
    expect(await host().names()).toEqual([]);
  });

  test('VMs whose names go on like volumes of others share nothing with them (006, #4680)', async () => {
    await host().does(to.standaloneVm('vm'), to.standaloneVm('vm-private'));
    await session(host(), 'vm:private', 'outer');
    await session(host(), 'vm-private:root', 'inner');
    expect(host().info('vm:private').revisions).toHaveLength(1);
    expect(host().info('vm-private:private').revisions).toHaveLength(1);
    expect(await committed(host(), 'vm:private')).toBe('outer');
    await host().does(to.removeVm('vm'));
    expect(await committed(host(), 'vm-private:root')).toBe('inner');
    expect((await host().names()).filter((name) => !name.startsWith('vm-vm-private-'))).toEqual([]);
    expect(await host().problems()).toEqual([]);
  });
};
