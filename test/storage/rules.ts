import { expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { backsOf, EXTENT, type HostOf, withBox, withWork } from './suite.ts';

const KEY = 'box:private';

const poolRow = async (
  host: ReturnType<HostOf>,
): Promise<{ bytes: number; data: number; meta: number; metaUsed: number }> => {
  const fields = 'lv_size,data_percent,lv_metadata_size,metadata_percent';
  const argv = `lvm lvs --reportformat json --units b --nosuffix -o ${fields} -- qubes_dom0/vm-pool`.split(' ');
  const { stdout } = await host.run(argv as [string, ...string[]]);
  const row = (JSON.parse(stdout) as { report: [{ lv: [Record<string, string>] }] }).report[0].lv[0];
  const [bytes = 0, data = 0, meta = 0, metaUsed = 0] = fields.split(',').map((field) => Number(row[field]));
  return { bytes, data, meta, metaUsed };
};

/** Pools and refusals (storage_lvm.py 004, 005, 110 to 120; storage.py; api_admin.py 110 to 726). */
export const rules = (host: HostOf): void => {
  test('a pool has the size and the use that lvs reports, of data and of metadata (004, 005, 110, 111)', async () => {
    await withBox(host());
    await host().does(to.start('box'));
    await host().vmWrites(KEY, 'data'.repeat(64 * 1024));
    const usage = await host().driver('lvm').usage();
    const { bytes, data, meta, metaUsed } = await poolRow(host());
    expect(data).toBeGreaterThan(0);
    expect(usage).toEqual({
      ok: true,
      value: {
        bytes,
        usedBytes: Math.round((bytes / 100) * data),
        metadataBytes: meta,
        metadataUsedBytes: Math.round((meta / 100) * metaUsed),
      },
    });
  });

  test('unknown pools, pools in use and storage that is taken are refused (storage 000, 004, 005)', async () => {
    expect(await host().refusal(to.standaloneVm('box', { pool: 'nowhere' }))).toBe('D_NOT_FOUND');
    expect(await host().refusal(to.addPool(to.lvmPool('again')))).toBe('D_EXISTS');
    expect(await host().refusal(to.addPool(to.lvmPool('lvm', { thinPool: 'other' })))).toBe('D_EXISTS');
    await withBox(host());
    expect(await host().refusal(to.removePool('lvm'))).toBe('D_IN_USE');
    const files = to.filePool('files', { dir: `${host().home.dir}/files` });
    await host().does(to.addPool(files), to.removePool('files'));
    expect(await host().refusal(to.removePool('files'))).toBe('D_NOT_FOUND');
  });

  test('only what is thrown away at stop can be ephemeral (040, 120, api_admin 723)', async () => {
    await withWork(host());
    expect(host().info('work:volatile').ephemeral).toBeNull();
    await host().does(to.setVolume('work:volatile', { ephemeral: true }));
    expect(host().info('work:volatile').ephemeral).toBe(true);
    for (const key of ['work:private', 'work:root']) {
      expect(await host().refusal(to.setVolume(key, { ephemeral: true })), key).toBe('D_SPEC_INVALID');
    }
  });

  test('what makes no sense is refused before a disk is touched (api_admin 110, 120, 520, 710; storage)', async () => {
    await withWork(host());
    const before = await host().lvs();
    const refused = async (...commands: readonly Parameters<ReturnType<HostOf>['refusal']>[0][]) => {
      const codes: (string | null)[] = [];
      for (const command of commands) codes.push(await host().refusal(command));
      return codes;
    };
    expect(
      await refused(
        to.revert('work:private', 'unknown'),
        to.revert('work:private'),
        to.revert('work:nothing'),
        to.revert('nobody:private'),
        to.cloneVolume('work:private', 'work:private'),
        to.cloneVolume('work:private', 'work:root'),
        to.cloneVolume('work:root', 'work:private'),
        to.exportTo('work:root', host().outFile()),
        to.resize('work:root', 64 * EXTENT),
        to.commit('work:root'),
        to.removeVolume('work:private'),
        to.appVm('work', { template: 'fedora' }),
        to.removeVm('fedora'),
        to.pin('work:private', 'unknown'),
      ),
    ).toEqual([
      'D_NOT_FOUND',
      'D_NOT_FOUND',
      'D_NOT_FOUND',
      'D_NOT_FOUND',
      'D_BAD_INPUT',
      'D_NOTHING_COMMITTED',
      'D_NOTHING_COMMITTED',
      'D_NOTHING_COMMITTED',
      'D_SOURCE_INVALID',
      'D_NOTHING_COMMITTED',
      'D_CLASS_REFUSES',
      'D_EXISTS',
      'D_IN_USE',
      'D_NOT_FOUND',
    ]);
    expect(await host().lvs()).toEqual(before);
  });

  test('a read-only volume is neither written nor committed, replaced or resized (integ 002, api_admin 720)', async () => {
    await withBox(host());
    await host().does(to.setVolume(KEY, { rw: false }));
    const { uuid } = await host().lv('vm-box-private');
    expect(await host().refusal(await host().importOf(KEY, 'new', EXTENT))).toBe('D_READ_ONLY');
    expect(await host().refusal(to.resize(KEY, 4 * 2 ** 30))).toBe('D_READ_ONLY');
    await host().does(to.start('box'), to.stop('box'));
    expect((await host().lv('vm-box-private')).uuid).toBe(uuid);
    expect(await backsOf(host(), KEY)).toEqual([]);
  });

  test('a VM whose disk is still open is not stopped, and nothing of it changes (#3964)', async () => {
    await withBox(host());
    await host().does(to.start('box'));
    const close = await host().holdOpen(host().info(KEY).runtimePath ?? '');
    try {
      const before = await host().lvs();
      expect(await host().refusal(to.stop('box'))).toBe('D_DEVICE_IN_USE');
      expect(await host().lvs()).toEqual(before);
    } finally {
      await close();
    }
    await host().does(to.stop('box'));
    expect(await host().problems()).toEqual([]);
  });

  test('disks of others are seen and never touched, whatever they are called', async () => {
    await host().byHand(
      'lvcreate --thin --setactivationskip=n --activate=y -n vm-box-private -V 8388608B qubes_dom0/vm-pool',
    );
    const foreign = await host().lv('vm-box-private');
    expect(await host().refusal(to.standaloneVm('box'))).toBe('D_DRIFT');
    expect(await host().lvs()).toEqual([foreign]);
    expect(host().vm('box')).toBeUndefined();
    await host().does(to.standaloneVm('other'), to.removeVm('other'));
    await host().does(to.collect(...host().host().trash.keys()));
    expect(await host().lvs()).toEqual([foreign]);
  });

  test('a disk that somebody renamed or removed is drift: told, and nothing is touched', async () => {
    await host().does(to.standaloneVm('box'));
    await host().byHand('lvrename -- qubes_dom0/vm-box-private qubes_dom0/elsewhere');
    const before = await host().lvs();
    expect(await host().refusal(to.start('box'))).toBe('D_DRIFT');
    expect(await host().lvs()).toEqual(before);
    expect(await host().problems()).toEqual([expect.stringContaining('is now called qubes_dom0/elsewhere')]);
    await host().byHand('lvrename -- qubes_dom0/elsewhere qubes_dom0/vm-box-private');
    await host().does(to.start('box'), to.kill('box'));
    expect(await host().problems()).toEqual([]);
  });
};
