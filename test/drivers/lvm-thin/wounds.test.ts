import { describe, expect, test } from 'vitest';
import type { PoolWound } from '../../../domain/pool/wound.ts';
import { createLvmModel, type LvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { newestText, tornDevices } from '../../../infrastructure/drivers/lvm-thin/mend.ts';
import { jobFor, made, placeIn, refusal } from '../bench.ts';
import { type Given, type LvmBench, lvmBenches, programs } from './lvm-bench.ts';

const TAGS = { tags: ['domtrail', 'dt.cmd=c1', 'dt.step=1'] };

const bench = lvmBenches();

const woundsOf = async ({ driver }: LvmBench): Promise<readonly PoolWound[] | string> => {
  const examined = await driver.examine();
  return examined.ok ? examined.value : `${examined.error.code}: ${examined.error.next ?? examined.error.message}`;
};

/** An origin and a snapshot of it that was cut off at that point. */
const cutOff = (point: 'between' | 'wedged', labels: Parameters<LvmModel['snapshot']>[2] = TAGS): LvmModel => {
  const model = createLvmModel();
  model.create('vm-work-private', 2 ** 26, TAGS);
  model.killAt(point, 1);
  model.snapshot('vm-work-private', 'vm-work-private-snap', labels);
  return model;
};

describe('examining a pool', () => {
  test('that is sound takes one look at each side', async () => {
    const one = await bench();
    await made(one, placeIn(one, { kind: 'current' }));
    one.ran.length = 0;
    expect(await woundsOf(one)).toEqual([]);
    expect(programs(one)).toEqual(['lvs', 'dmsetup']);
  });

  test('tells a disk that the kernel made and does not count from one that it never made', async () => {
    const name = 'qubes_dom0/vm-work-private-snap';
    const wedged = await bench({ model: cutOff('wedged') });
    expect(await woundsOf(wedged)).toMatchObject([{ is: 'wedged', name, lvm: 2, kernel: 1 }]);
    const phantom = await bench({ model: cutOff('between') });
    expect(await woundsOf(phantom)).toMatchObject([{ is: 'phantom', name }]);
  });

  test('does not take a removal that waits for a wound: LVM sends it again', async () => {
    const model = createLvmModel();
    model.create('vm-work-private', 2 ** 26, TAGS);
    model.killAt('between', 1);
    model.remove('vm-work-private');
    expect(await woundsOf(await bench({ model }))).toEqual([]);
  });

  test("leaves somebody else's phantom alone and says what to type", async () => {
    const one = await bench({ model: cutOff('between', {}) });
    expect(await woundsOf(one)).toBe('D_POOL_DAMAGED: lvm lvremove --force qubes_dom0/vm-work-private-snap');
    expect(one.model.find('vm-work-private-snap')).toBeDefined();
  });

  test('activates a pool that a boot left inactive, to hear the kernel', async () => {
    const model = cutOff('wedged');
    model.reboot({ autoactivate: false });
    expect(await woundsOf(await bench({ model }))).toMatchObject([{ is: 'wedged' }]);
  });

  test('a volume group whose disk is away is unseen, one whose description is damaged is torn', async () => {
    const away = await bench();
    away.model.setVisible(false);
    expect(await woundsOf(away)).toMatch(/^D_POOL_UNSEEN/);
    const torn = await bench();
    torn.model.tear();
    expect(await woundsOf(torn)).toEqual([{ is: 'torn', volumeGroup: 'qubes_dom0' }]);
  });

  test('ids that no crash explains are for a person to look into', async () => {
    const model = createLvmModel();
    model.setTransactionId(0, 7);
    expect(await woundsOf(await bench({ model }))).toMatch(/^D_POOL_DAMAGED/);
  });

  test('after a boot LVM does not activate such a pool: the ids come from its words', async () => {
    const model = createLvmModel();
    model.create('vm-work-private', 2 ** 26, TAGS);
    model.setTransactionId(1, 7);
    model.reboot({ autoactivate: true });
    const examined = await (await bench({ model })).driver.examine();
    expect(examined).toMatchObject({
      error: {
        code: 'D_POOL_DAMAGED',
        message: expect.stringContaining('LVM counts 1 transactions and the kernel 7'),
        next: 'docs/failure-modes.md, "A pool that is damaged"',
      },
    });
  });

  test('and nothing is made there: not a full pool, whose remedy would remove disks', async () => {
    const one = await bench();
    const from = placeIn(one, { kind: 'current' });
    const { id: of } = await made(one, from);
    one.model.setTransactionId(1, 7);
    const at = placeIn(one, { kind: 'session' });
    expect(await refusal(one, { do: 'snapshot', of, from, at })).toBe('D_POOL_DAMAGED');
  });
});

describe('mending a pool', () => {
  const mended = async (one: LvmBench): Promise<void> => {
    const wounds = await woundsOf(one);
    if (typeof wounds === 'string') throw new Error(wounds);
    one.ran.length = 0;
    for (const wound of wounds) expect(await one.driver.mend(wound, 'c2')).toMatchObject({ failure: null });
    expect(await woundsOf(one)).toEqual([]);
  };

  test('wedged: tells the kernel that the disk counts, and nothing else', async () => {
    const one = await bench({ model: cutOff('wedged') });
    await mended(one);
    expect(one.ran[0]).toEqual(['dmsetup', 'message', 'qubes_dom0-vm--pool-tpool', '0', 'set_transaction_id 1 2']);
    expect(one.model.find('vm-work-private-snap')).toBeDefined();
  });

  test('phantom: removes it by its UUID', async () => {
    const one = await bench({ model: cutOff('between') });
    const { uuid } = one.model.find('vm-work-private-snap') ?? { uuid: '' };
    await mended(one);
    expect(one.ran[0]).toEqual(
      expect.arrayContaining(['lvremove', `lv_uuid=${uuid}`, 'qubes_dom0/vm-work-private-snap']),
    );
    expect(one.model.find('vm-work-private-snap')).toBeUndefined();
    expect(one.model.find('vm-work-private')).toBeDefined();
  });

  test('torn: writes the header anew from the newest whole text on the disk', async () => {
    const one = await bench();
    one.model.create('vm-work-private', 2 ** 26, TAGS);
    one.model.tear();
    await mended(one);
    expect(programs(one).slice(0, 5)).toEqual(['lvs', 'pvck', 'pvck', 'pvck', 'vgchange']);
    expect(one.ran[2]).toContain('metadata_offset=57344');
    expect(one.model.find('vm-work-private')).toBeDefined();
  });
});

// As lvm2 2.03.16 printed it for test/lab/fixtures/torn-vg-metadata.img.zst.
const COMPLAINT = `    Retrying metadata scan.
WARNING: Checksum error on /dev/vda at offset 61440.
  WARNING: invalid metadata text from /dev/vda at 61440.
  WARNING: metadata on /dev/vda at 61440 has invalid summary for VG.
  WARNING: metadata on /dev/vda at 61440 has invalid summary for VG.
  WARNING: scanning /dev/vda mda1 failed to read metadata summary.
`;
const SEARCH = `  Searching for metadata at offset 4096 size 1044480
  metadata at 52736 length 4188 crc b0f5ea51 vg qubes_dom0 seqno 17 id M2sOcA-O14A-Dtq2-OyjG-4o3X-w4f0-PMuld5
  metadata at 57344 length 3866 crc 03b9ec8d vg qubes_dom0 seqno 18 id M2sOcA-O14A-Dtq2-OyjG-4o3X-w4f0-PMuld5
  metadata at 61440 length 513 crc 4fa9375f vg qubes_dom0 seqno 19 id M2sOcA-O14A-Dtq2-OyjG-4o3X-w4f0-PMuld5
`;
const BROKEN = `  Parse error at byte 513 (line 32): unexpected token
  WARNING: parse error for metadata at 61440
  WARNING: unexpected terminating bytes for metadata at 61440
`;

describe('what pvck and LVM say of a torn volume group', () => {
  test('names the device once', () => expect(tornDevices(COMPLAINT)).toEqual(['/dev/vda']));
  test('names no device when none is torn', () => expect(tornDevices('  Volume group "x" not found\n')).toEqual([]));
  test('leads to the newest text that is whole', () => {
    expect(newestText(SEARCH, BROKEN, 'qubes_dom0')).toBe(57_344);
    expect(newestText(SEARCH + BROKEN, '', 'qubes_dom0')).toBe(57_344);
    expect(newestText(SEARCH, '', 'qubes_dom0')).toBe(61_440);
  });
  test('leads nowhere when the device has only texts of other volume groups', () => {
    expect(newestText(SEARCH, BROKEN, 'other')).toBeNull();
  });
});

describe('what LVM wrote is forced onto the disk', () => {
  const counting = async (failing = false) => {
    const count = { flushes: 0 };
    const flush: Given = {
      settings: {
        flush: async () => {
          count.flushes++;
          return failing ? { code: 'D_STEP_FAILED', message: 'not forced' } : null;
        },
      },
    };
    return { one: await bench(flush), count };
  };

  test('after each change, and not for a look', async () => {
    const { one, count } = await counting();
    const at = placeIn(one, { kind: 'current' });
    const { id } = await made(one, at);
    expect(count.flushes).toBe(1);
    await one.driver.survey();
    await one.driver.examine();
    expect(count.flushes).toBe(1);
    await one.driver.act(jobFor({ do: 'move', disk: id, from: at, to: placeIn(one, { kind: 'trash', position: 3 }) }));
    expect(count.flushes).toBe(2);
  });

  test('and a disk that refuses is a failure of the step', async () => {
    const { one } = await counting(true);
    const acted = await one.driver.act(jobFor({ do: 'create', at: placeIn(one, { kind: 'current' }), bytes: 2 ** 22 }));
    expect(acted.failure).toMatchObject({ message: 'not forced' });
  });
});
