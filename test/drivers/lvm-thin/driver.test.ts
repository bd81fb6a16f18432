import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { DiskId, Role } from '../../../domain/disk.ts';
import type { BoundDeed, Sighting } from '../../../infrastructure/drivers/driver.port.ts';
import { runOnModel } from '../../../infrastructure/drivers/lvm-model/lvm-command.ts';
import { createLvmModel } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { carryOut, jobFor, LARGE, made, must, mustSee, placeIn, refusal, SMALL, seenAt, surveyed } from '../bench.ts';
import { type LvmBench, lvmBenches, programs } from './lvm-bench.ts';

const CURRENT: Role = { kind: 'current' };
const SESSION: Role = { kind: 'session' };
const IMPORT: Role = { kind: 'import' };
const TRASH: Role = { kind: 'trash', position: 7 };

const bench = lvmBenches();

const quietly = async (one: LvmBench, deed: BoundDeed): Promise<readonly string[]> => {
  one.ran.length = 0;
  await must(one, deed);
  return programs(one);
};

const ours = async (one: LvmBench, role: Role = CURRENT): Promise<Sighting> => made(one, placeIn(one, role));

describe('processes', () => {
  test('a survey of active disks costs one, and an act after it only its own', async () => {
    const one = await bench();
    const { id } = await ours(one);
    one.ran.length = 0;
    await surveyed(one);
    expect(programs(one)).toEqual(['lvs']);
    const at = placeIn(one, CURRENT);
    expect(await quietly(one, { do: 'move', disk: id, from: at, to: placeIn(one, TRASH) })).toEqual(['lvrename']);
  });

  test('a survey asks the kernel only about an inactive disk of the latest transaction', async () => {
    const one = await bench();
    await ours(one, SESSION);
    await ours(one);
    one.model.deactivate('vm-work-private-snap');
    one.ran.length = 0;
    await surveyed(one);
    expect(programs(one)).toEqual(['lvs']);
    one.model.deactivate('vm-work-private');
    await surveyed(one);
    expect(programs(one)).toEqual(['lvs', 'lvs', 'dmsetup']);
  });

  test('an erase asks the kernel whose device it is, discards, and removes', async () => {
    const one = await bench();
    const { id } = await ours(one, TRASH);
    expect(await quietly(one, { do: 'erase', disk: id, at: placeIn(one, TRASH) })).toEqual([
      'dmsetup',
      'blkdiscard',
      'lvremove',
    ]);
  });

  test('all of them run through sudo unless root runs them', async () => {
    const one = await bench({ settings: { uid: 1000 } });
    const { id } = await ours(one, TRASH);
    await must(one, { do: 'erase', disk: id, at: placeIn(one, TRASH) });
    expect(one.ran.every(([program]) => program === 'sudo')).toBe(true);
    expect(programs(one)).toContain('blkdiscard');
  });

  test('the record holds the exact command lines and drops the warning about overcommitted pools', async () => {
    const one = await bench({ model: createLvmModel({ poolBytes: LARGE }) });
    const at = placeIn(one, CURRENT);
    const acted = await one.driver.act(jobFor({ do: 'create', at, bytes: 4 * LARGE }));
    expect(acted).toMatchObject({ failure: null, evidence: { exitCode: 0, stderr: '' } });
    expect(acted.evidence.argv).toHaveLength(1);
    expect(acted.evidence.argv[0]?.slice(0, 2)).toEqual(['lvm', 'lvcreate']);
  });

  test('every change of ours carries its step into the archive of LVM', async () => {
    const one = await bench();
    const from = placeIn(one, CURRENT);
    const { id } = await ours(one);
    const deed: BoundDeed = { do: 'move', disk: id, from, to: placeIn(one, TRASH) };
    await one.driver.act({ command: 'retire', step: 4, deed });
    await one.driver.act({ command: 'retire', step: 5, deed: { do: 'erase', disk: id, at: placeIn(one, TRASH) } });
    const told = one.model.state().archive.map(({ description }) => description);
    expect(told.at(-2)).toContain('domtrail/step="retire/4"');
    expect(told.at(-1)).toContain('domtrail/step="retire/5"');
  });
});

describe('what cannot be seen', () => {
  test('a volume group whose disk is away is a failure, never an empty pool', async () => {
    const one = await bench();
    await ours(one);
    one.model.setVisible(false);
    const survey = await one.driver.survey();
    expect(survey.ok ? null : survey.error.code).toBe('D_POOL_UNSEEN');
    expect(survey.ok ? '' : survey.error.cause).toContain('Volume group "qubes_dom0" not found');
    expect(await refusal(one, { do: 'erase', disk: 'X' as DiskId, at: placeIn(one, TRASH) })).toBe('D_POOL_UNSEEN');
  });

  test('a missing pool is refused before it is used', async () => {
    const one = await bench({ model: createLvmModel({ thinPool: 'other' }) });
    const prepared = await one.driver.prepare();
    expect(prepared.ok ? null : prepared.error).toMatchObject({
      code: 'D_NOT_FOUND',
      message: 'Thin pool qubes_dom0/vm-pool does not exist',
    });
    one.model.setVisible(false);
    const unseen = await one.driver.prepare();
    expect(unseen.ok ? null : unseen.error.message).toBe('Thin pool qubes_dom0/vm-pool does not exist');
  });

  test('with the pool inactive it cannot be told what is whole, which is said', async () => {
    const one = await bench();
    await ours(one);
    one.model.reboot({ autoactivate: false });
    const survey = await one.driver.survey();
    expect(survey.ok ? null : survey.error).toMatchObject({
      code: 'D_POOL_UNSEEN',
      next: 'lvchange --activate=y qubes_dom0/vm-pool',
    });
    one.model.activate('vm-pool');
    expect(await mustSee(one, placeIn(one, CURRENT))).toMatchObject({ active: false, usable: true });
  });
});

describe('identity', () => {
  test('a disk that was exchanged behind our back is neither renamed nor discarded', async () => {
    const one = await bench();
    const at = placeIn(one, TRASH);
    const { id, name } = await ours(one, TRASH);
    await one.foreignRemove?.(name);
    await one.foreignCreate?.(at, SMALL);
    one.model.writeAt('vm-work-private-7-trash-back', 0, 'theirs');
    // The driver still remembers the name as ours: the kernel's word and LVM's comparison must stop it.
    const acted = await one.driver.act(jobFor({ do: 'erase', disk: id, at }));
    expect(programs(one)).not.toContain('blkdiscard');
    expect(acted.evidence.exitCode).toBe(0);
    expect(one.model.readAt('vm-work-private-7-trash-back', 0, 6)).toBe('theirs');
  });

  test('a fill does not write to a device that is another disk by now', async () => {
    const one = await bench();
    const at = placeIn(one, IMPORT);
    const { id, name } = await ours(one, IMPORT);
    await one.foreignRemove?.(name);
    await one.foreignCreate?.(at, SMALL);
    one.model.writeAt('vm-work-private-import', 0, 'theirs');
    const from = await one.sourceFile(SMALL, [{ offset: 0, text: 'ours' }]);
    expect(await refusal(one, { do: 'fill', disk: id, at, from })).toBe('D_DRIFT');
    expect(one.model.readAt('vm-work-private-import', 0, 6)).toBe('theirs');
  });

  test('volumes whose names begin alike are never mixed up', async () => {
    const one = await bench();
    const mine = placeIn(one, CURRENT);
    const theirs = { ...mine, vid: one.vidFor('work-private', 'root') };
    const disk = await made(one, mine);
    const other = await made(one, theirs);
    const trash = placeIn(one, TRASH);
    await must(one, { do: 'move', disk: disk.id, from: mine, to: trash });
    await must(one, { do: 'erase', disk: disk.id, at: trash });
    expect((await surveyed(one)).map(({ id }) => id)).toEqual([other.id]);
  });

  test.each<[string, BoundDeed['do'], string]>([
    ['another volume group', 'create', 'elsewhere/vm-work-private'],
    ['a path upwards', 'create', 'qubes_dom0/vm-work-../../x'],
    ['an option', 'create', '-rf'],
  ])('a volume id that is %s reaches no command line', async (_, __, vid) => {
    const one = await bench();
    const at = { ...placeIn(one, CURRENT), vid };
    expect(await refusal(one, { do: 'create', at, bytes: SMALL })).toBe('D_DRIVER_REFUSES');
    expect(one.ran).toEqual([]);
  });

  test('only trash is ever erased', async () => {
    const one = await bench();
    const { id } = await ours(one);
    expect(await refusal(one, { do: 'erase', disk: id, at: placeIn(one, CURRENT) })).toBe('D_DRIVER_REFUSES');
    expect((await surveyed(one)).length).toBe(1);
  });
});

describe('a phantom', () => {
  const killed = async (one: LvmBench) => {
    const from = placeIn(one, CURRENT);
    const at = placeIn(one, SESSION);
    const { id } = await ours(one);
    one.model.writeAt('vm-work-private', 0, 'HELLO');
    const job = jobFor({ do: 'snapshot', of: id, from, at });
    one.model.killAt('between');
    const acted = await one.driver.act(job);
    return { from, at, id, job, acted };
  };

  test('is seen as one, with its maker, after lvm was killed in the middle and after a reboot', async () => {
    const one = await bench();
    const { at, job, acted } = await killed(one);
    expect(acted.evidence.exitCode).toBeNull();
    const expected = { usable: false, active: false, madeBy: { command: job.command, step: job.step } };
    expect(await mustSee(one, at)).toMatchObject(expected);
    one.model.reboot();
    expect(await mustSee(one, at)).toMatchObject(expected);
    expect(await refusal(one, { do: 'activate', disk: (await mustSee(one, at)).id, at })).toBe('D_STEP_FAILED');
  });

  test('would get the data of a later moment from whoever changes the pool next', async () => {
    const one = await bench();
    const { at } = await killed(one);
    one.model.writeAt('vm-work-private', 0, 'LATER');
    one.model.create('somebody-elses', SMALL);
    await must(one, { do: 'activate', disk: (await mustSee(one, at)).id, at });
    expect(one.model.readAt('vm-work-private-snap', 0, 5)).toBe('LATER');
  });

  test('is scrapped and made again with the right content', async () => {
    const one = await bench();
    const { at, job } = await killed(one);
    const phantom = await mustSee(one, at);
    const scrapped = await one.driver.scrap(phantom, job);
    expect(scrapped.failure).toBeNull();
    expect(await seenAt(one, at)).toBeUndefined();
    await carryOut(one, job);
    const snapshot = await mustSee(one, at);
    expect(snapshot).toMatchObject({ usable: true, active: true });
    expect(snapshot.id).not.toBe(phantom.id);
    expect(one.model.readAt('vm-work-private-snap', 0, 5)).toBe('HELLO');
  });

  test('is all that may be scrapped', async () => {
    const one = await bench();
    const healthy = await ours(one);
    await expect(
      one.driver.scrap(healthy, jobFor({ do: 'create', at: placeIn(one, CURRENT), bytes: SMALL })),
    ).rejects.toThrow('usable');
  });
});

describe('a pool wedged by a crash inside the kernel', () => {
  test('is put right by the next command, and the snapshot keeps the content of its own moment', async () => {
    const one = await bench();
    const from = placeIn(one, CURRENT);
    const { id } = await ours(one);
    one.model.writeAt('vm-work-private', 0, 'HELLO');
    one.model.killAt('wedged');
    await one.driver.act(jobFor({ do: 'snapshot', of: id, from, at: placeIn(one, SESSION) }));
    one.model.reboot();
    one.model.writeAt('vm-work-private', 0, 'LATER');
    expect(await mustSee(one, placeIn(one, SESSION))).toMatchObject({ usable: true, active: true });
    one.ran.length = 0;
    await must(one, { do: 'create', at: placeIn(one, IMPORT), bytes: SMALL });
    expect(programs(one)).toEqual(['lvcreate', 'lvs', 'dmsetup', 'dmsetup', 'lvcreate']);
    expect(one.ran.at(-2)?.at(-1)).toBe('set_transaction_id 1 2');
    expect(one.model.readAt('vm-work-private-snap', 0, 5)).toBe('HELLO');
  });
});

describe('a thin device that is in the way for another reason', () => {
  test('is not declared to count while LVM and the kernel agree', async () => {
    const model = createLvmModel();
    const run = runOnModel(model);
    const said = 'Thin pool p (253:3) already contain thin device with device_id 4.';
    const one = await bench({
      model,
      settings: {
        run: async (argv, options) => {
          if (!argv.includes('lvcreate')) return run(argv, options);
          return { stdout: '', evidence: { argv: [[...argv]], exitCode: 5, stderr: said, durationMs: 0 } };
        },
      },
    });
    const acted = await one.driver.act(jobFor({ do: 'create', at: placeIn(one, CURRENT), bytes: SMALL }));
    expect(acted.failure).toMatchObject({ code: 'D_STEP_FAILED', cause: said });
    expect(acted.evidence.argv.map((argv) => argv.slice(0, 2))).toEqual([['lvm', 'lvcreate']]);
  });
});

describe('a disk in use', () => {
  test('is neither discarded nor removed by an erase (qubes-issues 3964)', async () => {
    const one = await bench();
    const { id } = await ours(one, TRASH);
    one.model.writeAt('vm-work-private-7-trash-back', 0, 'in use');
    const holder = one.model.open('vm-work-private-7-trash-back');
    expect(await refusal(one, { do: 'erase', disk: id, at: placeIn(one, TRASH) })).toBe('D_DEVICE_IN_USE');
    expect(holder.readAt(0, 6)).toBe('in use');
    expect(programs(one)).not.toContain('blkdiscard');
    holder.close();
    await must(one, { do: 'erase', disk: id, at: placeIn(one, TRASH) });
    expect(await surveyed(one)).toEqual([]);
  });

  test('is not filled', async () => {
    const one = await bench();
    const { id } = await ours(one, IMPORT);
    const holder = one.model.open('vm-work-private-import');
    const from = await one.sourceFile(512, [{ offset: 0, text: 'x' }]);
    expect(await refusal(one, { do: 'fill', disk: id, at: placeIn(one, IMPORT), from })).toBe('D_DEVICE_IN_USE');
    holder.close();
  });
});

describe('inactive disks', () => {
  const inactive = async (role: Role): Promise<{ readonly one: LvmBench; readonly id: DiskId }> => {
    const one = await bench();
    const { id, name } = await ours(one, role);
    one.model.writeAt(name.slice('qubes_dom0/'.length), 0, 'asleep');
    one.model.deactivate(name.slice('qubes_dom0/'.length));
    await surveyed(one);
    return { one, id };
  };

  test('are activated before a snapshot is taken of them', async () => {
    const { one, id } = await inactive(CURRENT);
    const deed: BoundDeed = { do: 'snapshot', of: id, from: placeIn(one, CURRENT), at: placeIn(one, SESSION) };
    expect(await quietly(one, deed)).toEqual(['lvchange', 'lvcreate']);
    expect(one.model.readAt('vm-work-private-snap', 0, 6)).toBe('asleep');
  });

  test('are activated before they are read', async () => {
    const { one, id } = await inactive(CURRENT);
    const path = one.targetPath();
    await must(one, { do: 'read', disk: id, at: placeIn(one, CURRENT), to: { kind: 'file', path } });
    expect((await readFile(path, 'latin1')).slice(0, 6)).toBe('asleep');
  });

  test('are removed without a discard, leaving nothing behind', async () => {
    const { one, id } = await inactive(TRASH);
    await must(one, { do: 'erase', disk: id, at: placeIn(one, TRASH) });
    expect(programs(one)).not.toContain('blkdiscard');
    expect(await surveyed(one)).toEqual([]);
    expect(one.model.state().kernel.devices.size).toBe(0);
  });
});

describe('failures of LVM', () => {
  test('a pool out of space, a shrink nobody agreed to and a taken name have codes and causes', async () => {
    const one = await bench({ model: createLvmModel({ poolBytes: SMALL }) });
    const at = placeIn(one, CURRENT);
    const { id } = await made(one, at, LARGE);
    for (let offset = 0; offset < SMALL; offset += 65_536) one.model.writeAt('vm-work-private', offset, 'x');
    const deeds: readonly BoundDeed[] = [
      { do: 'snapshot', of: id, from: at, at: placeIn(one, SESSION) },
      { do: 'resize', disk: id, at, bytes: SMALL, shrink: false },
      { do: 'create', at, bytes: SMALL },
    ];
    const codes: unknown[] = [];
    for (const deed of deeds) codes.push((await one.driver.act(jobFor(deed))).failure?.code);
    expect(codes).toEqual(['D_DISK_FULL', 'D_SHRINK', 'D_DRIFT']);
  });

  test('a full pool refuses what is written into it', async () => {
    const one = await bench({ model: createLvmModel({ poolBytes: SMALL }) });
    const at = placeIn(one, IMPORT);
    const { id } = await made(one, at, LARGE);
    const pieces = Array.from({ length: 70 }, (_, index) => ({ offset: index * 65_536, text: 'x' }));
    const from = await one.sourceFile(LARGE, pieces);
    expect(await refusal(one, { do: 'fill', disk: id, at, from })).toBe('D_DISK_FULL');
  });
});
