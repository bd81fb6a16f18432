import { expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { filePool } from '../domain/commands.ts';
import { backsOf, committed, EXTENT, type HostOf, kept, session, uuids, withBox, withWork } from './suite.ts';

const KEY = 'box:private';
const SMALL = { bytes: 2 * EXTENT };

/** Reverting, importing, exporting, cloning (storage_lvm.py 020 to 035; the same promises of storage_zfs, integ, api_admin). */
export const contents = (host: HostOf): void => {
  test('a revert goes to the newest revision or the one that is named, and the path stays (020, 021)', async () => {
    await withBox(host());
    await host().does(to.keep(KEY, 4));
    await session(host(), KEY, 'first');
    await session(host(), KEY, 'other');
    const { committedPath, revisions } = host().info(KEY);
    const [oldest, newest] = uuids(await backsOf(host(), KEY));
    await host().does(to.revert(KEY));
    expect(await host().lv('vm-box-private')).toMatchObject({ origin: newest });
    expect(await committed(host(), KEY)).toBe('first');
    await host().does(to.revert(KEY, revisions[0]?.id ?? ''));
    expect(await host().lv('vm-box-private')).toMatchObject({ origin: oldest });
    expect(await committed(host(), KEY)).toBe('.....');
    expect(host().info(KEY).committedPath).toBe(committedPath);
    // What was replaced is a revision like any other, and none of the four goes.
    expect(await kept(host(), KEY)).toEqual(['.....', 'first', 'other', 'first']);
    expect(await host().refusal(to.revert(KEY, 'unknown'))).toBe('D_NOT_FOUND');
    expect((await host().names()).filter((name) => /-(snap|import)$/.test(name))).toEqual([]);
    expect(await host().problems()).toEqual([]);
  });

  test('an import gives another disk of the size of the file and keeps the old one as the one new revision (030, 035)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    const before = await host().lv('vm-box-private');
    await host().does(await host().importOf(KEY, 'new..', 3 * EXTENT));
    const after = await host().lv('vm-box-private');
    expect(after).toMatchObject({ bytes: 3 * EXTENT });
    expect(after.uuid).not.toBe(before.uuid);
    expect(uuids(await backsOf(host(), KEY))).toEqual([before.uuid]);
    expect(host().info(KEY).size).toBe(3 * EXTENT);
    expect(await committed(host(), KEY)).toBe('new..');
    expect(await host().names()).not.toContain('vm-box-private-import');
    // The next import of nothing leaves nothing of it behind (034).
    await host().does(await host().importOf(KEY, '', EXTENT));
    expect(await committed(host(), KEY)).toBe('.....');
    expect((await host().lv('vm-box-private')).bytes).toBe(EXTENT);
  });

  test('an import that fails leaves the volume and its revisions as they were (031)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    const before = await host().lv('vm-box-private');
    const backs = uuids(await backsOf(host(), KEY));
    const { payload, name } = await host().importOf(KEY, 'new..', EXTENT);
    const changed = {
      name,
      payload: { ...payload, from: { ...('from' in payload ? payload.from : {}), stamp: 'other' } },
    };
    expect(await host().refusal(changed as Parameters<ReturnType<HostOf>['refusal']>[0])).toBe('D_INPUT_CHANGED');
    expect(await host().lv('vm-box-private')).toEqual(before);
    expect(uuids(await backsOf(host(), KEY))).toEqual(backs);
    expect(await host().names()).not.toContain('vm-box-private-import');
    expect(await committed(host(), KEY)).toBe('first');
    expect(await host().problems()).toEqual([]);
  });

  test('neither import nor revert touches a volume in use (api_admin 516)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    const command = await host().importOf(KEY, 'new..', EXTENT);
    await host().does(to.start('box'));
    expect(await host().refusal(command)).toBe('D_NOT_HALTED');
    expect(await host().refusal(to.revert(KEY))).toBe('D_NOT_HALTED');
    expect(await host().refusal(to.keep(KEY, -1))).toBe('D_NOT_HALTED');
    await host().reboots();
    await host().recover();
    expect(await host().refusal(command)).toBe('D_DIRTY');
    expect(await host().refusal(to.cloneVm('box', 'copy'))).toBe('D_DIRTY');
  });

  test('a volume cloned onto another is a snapshot of it, and the old disk a revision (032, integ 005)', async () => {
    await host().does(
      to.standaloneVm('box'),
      to.addVolume('box:data', SMALL),
      to.addVolume('box:copy', { bytes: EXTENT }),
    );
    await session(host(), 'box:data', 'data.');
    const [source, before] = [await host().lv('vm-box-data'), await host().lv('vm-box-copy')];
    await host().does(to.cloneVolume('box:data', 'box:copy'));
    const after = await host().lv('vm-box-copy');
    expect(after).toMatchObject({ origin: source.uuid, bytes: source.bytes });
    expect([before.uuid, source.uuid]).not.toContain(after.uuid);
    expect(uuids(await backsOf(host(), 'box:copy')).at(-1)).toBe(before.uuid);
    expect(await committed(host(), 'box:copy')).toBe('data.');
    expect(host().info('box:copy').size).toBe(source.bytes);
    expect(await host().problems()).toEqual([]);
  });

  test('a volume of another pool is copied byte for byte, with zeros behind its end (033)', async () => {
    await host().does(to.standaloneVm('box'), to.addPool(filePool('files', { dir: `${host().home.dir}/files` })));
    expect(await host().driver('files').prepare()).toMatchObject({ ok: true });
    await host().does(
      to.addVolume('box:file', { ...SMALL, pool: 'files' }),
      to.addVolume('box:data', { bytes: 3 * EXTENT }),
    );
    await host().does(await host().importOf('box:file', 'file.', SMALL.bytes));
    await host().does(to.start('box'));
    await host().vmWrites('box:data', 'stale', SMALL.bytes - 5);
    await host().does(to.stop('box'), to.cloneVolume('box:file', 'box:data'));
    expect((await host().lv('vm-box-data')).bytes).toBe(SMALL.bytes);
    expect(await committed(host(), 'box:data')).toBe('file.');
    expect(await committed(host(), 'box:data', 5, SMALL.bytes - 5)).toBe('.....');
    expect(host().info('box:data').revisions).toHaveLength(1);
  });

  test('an export has the committed content, also while the VM writes (zfs export)', async () => {
    await host().does(to.standaloneVm('box'), to.addVolume('box:data', SMALL));
    await session(host(), 'box:data', 'data.');
    await host().does(to.start('box'));
    await host().vmWrites('box:data', 'later');
    const path = host().outFile();
    await host().does(to.exportTo('box:data', path));
    expect(await host().read(path, 5)).toBe('data.');
    expect((await host().read(path, SMALL.bytes + 1)).length).toBe(SMALL.bytes);
    await host().does(to.kill('box'));
    expect(await committed(host(), 'box:data')).toBe('later');
  });

  test('a clone of a running VM has what was committed; clones go in any order (zfs clone, TC_01 005)', async () => {
    await withWork(host());
    await session(host(), 'work:private', 'first');
    await host().does(to.start('work'));
    await host().vmWrites('work:private', 'later');
    await host().does(to.cloneVm('work', 'copy'));
    expect(await committed(host(), 'copy:private')).toBe('first');
    await host().does(to.cloneVm('copy', 'third'), to.stop('work'), to.removeVm('copy'), to.removeVm('work'));
    expect(host().info('third:private').committedPath).toBe('/dev/mapper/qubes_dom0-vm--third--private');
    expect(await committed(host(), 'third:private')).toBe('first');
    await session(host(), 'third:private', 'alone');
    expect(await committed(host(), 'third:private')).toBe('alone');
    expect(await host().problems()).toEqual([]);
  });

  test('a pinned revision outlives its limit, and nothing removes it (#7698)', async () => {
    await withBox(host());
    await session(host(), KEY, 'first');
    await session(host(), KEY, 'other');
    const [revision] = host().info(KEY).revisions;
    await host().does(to.pin(KEY, revision?.id ?? ''));
    for (const text of ['third', 'forth']) await session(host(), KEY, text);
    expect(await kept(host(), KEY)).toEqual(['first', 'third']);
    expect(await host().refusal(to.removeVm('box'))).toBe('D_PINNED');
  });

  test('a commit under a running VM keeps its moment and lets it go on', async () => {
    await withBox(host());
    await host().does(to.start('box'));
    await host().vmWrites(KEY, 'first');
    const snap = await host().lv('vm-box-private-snap');
    await host().does(to.commit(KEY));
    await host().vmWrites(KEY, 'later');
    expect((await host().lv('vm-box-private-snap')).uuid).toBe(snap.uuid);
    expect((await host().lv('vm-box-private')).origin).toBe(snap.uuid);
    expect(await committed(host(), KEY)).toBe('first');
    expect(host().info(KEY).state).toBe('running');
    await host().does(to.stopDiscarding('box'));
    expect(await committed(host(), KEY)).toBe('first');
    expect(await host().problems()).toEqual([]);
  });
};
