import { describe, expect, test } from 'vitest';
import { KILL_POINTS, type KillPoint } from '../../../infrastructure/drivers/lvm-model/change.ts';
import { brokenInvariants } from '../../../infrastructure/drivers/lvm-model/invariants.ts';
import { capacityOf, usedBlocks } from '../../../infrastructure/drivers/lvm-model/kernel.ts';
import { createLvmModel, type LvmModel, lvmModelOf } from '../../../infrastructure/drivers/lvm-model/model.ts';
import { EXTENT } from '../../../infrastructure/drivers/lvm-model/state.ts';
import { lvm, spoken } from './commands.ts';

const SIZE = 8 * 2 ** 20;

const withOrigin = (): LvmModel => {
  const model = createLvmModel();
  model.create('a', SIZE);
  model.writeAt('a', 0, 'HELLO');
  return model;
};

const ahead = (model: LvmModel): number => {
  const { pool, kernel } = model.state();
  return pool.transactionId - kernel.transactionId;
};

const refusalOf = (outcome: { readonly ok: boolean; readonly error?: { readonly is: string } }): string =>
  outcome.error?.is ?? 'done';

describe('identity', () => {
  test('a UUID is never used again, a thin id is: the highest that is free', () => {
    const model = createLvmModel();
    for (const name of ['a', 'b', 'c']) model.create(name, SIZE);
    const before = model.find('c');
    model.remove('c');
    model.create('d', SIZE);
    expect(model.find('d')?.thinId).toBe(before?.thinId);
    expect(model.find('d')?.uuid).not.toBe(before?.uuid);
    model.remove('a');
    model.create('e', SIZE);
    expect(model.find('e')?.thinId).toBe(4);
  });

  test('the same seed gives the same UUIDs, another seed others', () => {
    const uuids = [1, 1, 2].map((seed) => {
      const model = createLvmModel({ seed });
      model.create('a', SIZE);
      return model.find('a')?.uuid ?? '';
    });
    expect(uuids[0]).toBe(uuids[1]);
    expect(uuids[0]).not.toBe(uuids[2]);
    expect(uuids[0]).toMatch(/^[A-Za-z0-9]{6}(-[A-Za-z0-9]{4}){5}-[A-Za-z0-9]{6}$/);
  });

  test('a device used again does not show the content of the one before it', () => {
    const model = withOrigin();
    model.remove('a');
    model.create('b', SIZE);
    expect(model.find('b')?.thinId).toBe(1);
    expect(model.readAt('b', 0, 5)).toBe('\0'.repeat(5));
  });
});

describe('content', () => {
  test('a snapshot shares its chunks until one of the two is written to', () => {
    const model = withOrigin();
    model.snapshot('a', 'b');
    expect(usedBlocks(model.state())).toBe(1);
    model.writeAt('b', 3, 'P!');
    expect(usedBlocks(model.state())).toBe(2);
    expect([model.readAt('a', 0, 5), model.readAt('b', 0, 5)]).toEqual(['HELLO', 'HELP!']);
    model.remove('a');
    expect(usedBlocks(model.state())).toBe(1);
  });

  test('a write across chunks is read back whole, and what was never written is zeros', () => {
    const model = withOrigin();
    const text = 'x'.repeat(100_000);
    model.writeAt('a', 60_000, text);
    expect(model.readAt('a', 59_999, 100_002)).toBe(`\0${text}\0`);
    expect(model.readAt('a', SIZE - 2, 100)).toBe('\0\0');
    expect(() => model.writeAt('a', SIZE - 1, 'ab')).toThrow('ends at');
  });

  test('sizes are whole extents; what a shrink cuts off is gone for good', () => {
    const model = withOrigin();
    model.writeAt('a', SIZE - 4, 'tail');
    expect(refusalOf(model.resize('a', 1))).toBe('not-reduced');
    model.resize('a', 1, { shrink: true });
    expect(model.find('a')?.extents).toBe(1);
    model.resize('a', SIZE);
    expect(model.readAt('a', SIZE - 4, 4)).toBe('\0\0\0\0');
    expect(model.readAt('a', 0, 5)).toBe('HELLO');
  });

  test('a full pool takes no new chunk and gives room again after a removal', () => {
    const model = createLvmModel({ poolBytes: EXTENT });
    model.create('a', 4 * EXTENT);
    model.snapshot('a', 'before');
    for (let chunk = 0; chunk < capacityOf(model.state()); chunk++) model.writeAt('a', chunk * 65_536, 'x');
    expect(refusalOf(model.writeAt('a', EXTENT, 'y'))).toBe('full');
    expect(refusalOf(model.writeAt('a', 0, 'z'))).toBe('done');
    expect(refusalOf(model.create('b', EXTENT))).toBe('full');
    expect(refusalOf(model.rename('a', 'c'))).toBe('done');
    expect(refusalOf(model.remove('c'))).toBe('done');
    expect(refusalOf(model.create('b', EXTENT))).toBe('done');
  });
});

describe('killed in the middle', () => {
  const kill = (model: LvmModel, point: KillPoint, act: (model: LvmModel) => unknown): LvmModel => {
    model.killAt(point);
    act(model);
    return model;
  };

  test.each<[KillPoint, readonly string[], number]>([
    ['before', ['a'], 0],
    ['deactivated', ['a'], 0],
    ['between', ['a', 's'], 1],
    ['wedged', ['a', 's'], 1],
    ['after', ['a', 's'], 0],
  ])('a snapshot at %s', (point, listed, tids) => {
    const model = kill(withOrigin(), point, (one) => one.snapshot('a', 's'));
    expect([...model.state().lvs.values()].map(({ name }) => name)).toEqual(listed);
    expect(ahead(model)).toBe(tids);
    expect(model.find('s')?.active ?? null).toBe(point === 'after' ? true : listed.includes('s') ? false : null);
    expect(brokenInvariants(model.state())).toEqual([]);
  });

  test.each<[KillPoint, string]>([
    ['before', 'active'],
    ['deactivated', 'inactive'],
    ['between', 'gone, its device still there'],
    ['after', 'gone'],
  ])('a removal at %s leaves it %s', (point, left) => {
    const model = kill(withOrigin(), point, (one) => one.remove('a'));
    const lv = model.find('a');
    const device = model.state().kernel.devices.has(1);
    expect(lv ? (lv.active ? 'active' : 'inactive') : device ? 'gone, its device still there' : 'gone').toBe(left);
    expect(brokenInvariants(model.state())).toEqual([]);
    // Whatever was left: the same command again, or any other, works.
    expect(refusalOf(model.remove('a'))).toBe(lv ? 'done' : 'missing');
    expect(refusalOf(model.create('b', SIZE))).toBe('done');
    expect(model.state().kernel.devices.size).toBe(1);
  });

  test.each(KILL_POINTS)('a rename and a resize at %s have happened wholly or not at all', (point) => {
    const renamed = kill(withOrigin(), point, (one) => one.rename('a', 'b'));
    expect(renamed.find(point === 'after' ? 'b' : 'a')).toBeDefined();
    const resized = kill(withOrigin(), point, (one) => one.resize('a', 2 * SIZE));
    expect(resized.find('a')?.extents).toBe(point === 'after' ? 4 : 2);
  });

  test('a fill leaves a part of its content', () => {
    const model = withOrigin();
    model.create('b', SIZE);
    for (const chunk of [0, 1, 2, 3]) model.writeAt('a', chunk * 65_536, `part ${chunk}`);
    kill(model, 'between', (one) => one.fill('b', one.contentOf('a')));
    expect([0, 3].map((chunk) => model.readAt('b', chunk * 65_536, 6))).toEqual(['part 0', '\0'.repeat(6)]);
    model.fill('b', model.contentOf('a'));
    expect(model.readAt('b', 3 * 65_536, 6)).toBe('part 3');
  });

  test('only the chosen change is killed', () => {
    const model = createLvmModel();
    model.killAt('before', 2);
    expect([model.create('a', SIZE), model.create('b', SIZE), model.create('c', SIZE)].map(refusalOf)).toEqual([
      'done',
      'killed',
      'done',
    ]);
    expect(model.changes()).toBe(3);
  });
});

describe('a phantom LV', () => {
  const phantom = (): LvmModel => {
    const model = withOrigin();
    model.killAt('between');
    model.snapshot('a', 's', { tags: ['dt.step=1'] });
    return model;
  };

  test('is listed with its tags, inactive, and cannot be activated, not even by a reboot', () => {
    const model = phantom();
    expect(lvm(model, 'lvs --noheadings -o lv_attr,lv_tags qubes_dom0/s').stdout.trim()).toBe('Vwi---t--- dt.step=1');
    const answer = ['E device-mapper: reload ioctl on  (253:5) failed: No data available'];
    expect(spoken(lvm(model, 'lvchange -ay qubes_dom0/s'))).toEqual(answer);
    model.reboot();
    expect(spoken(lvm(model, 'lvchange -ay qubes_dom0/s'))).toEqual(answer);
    expect(ahead(model)).toBe(1);
  });

  test('blocks its own command, and a removal makes the ids equal again', () => {
    const model = phantom();
    expect(refusalOf(model.snapshot('a', 's'))).toBe('exists');
    expect(refusalOf(model.remove('s'))).toBe('done');
    expect(ahead(model)).toBe(0);
    expect(refusalOf(model.snapshot('a', 's'))).toBe('done');
    expect(model.readAt('s', 0, 5)).toBe('HELLO');
  });

  test('is made by the next change to the pool, of what its origin holds by then', () => {
    const model = phantom();
    model.writeAt('a', 0, 'LATER');
    expect(refusalOf(model.rename('a', 'b'))).toBe('done');
    expect(ahead(model)).toBe(1);
    model.create('c', SIZE);
    expect(refusalOf(model.activate('s'))).toBe('done');
    expect(model.readAt('s', 0, 5)).toBe('LATER');
  });

  test('is made before its origin is removed, of what the origin holds', () => {
    const model = phantom();
    model.remove('a');
    expect(refusalOf(model.activate('s'))).toBe('done');
    expect(model.readAt('s', 0, 5)).toBe('HELLO');
    expect(brokenInvariants(model.state())).toEqual([]);
  });
});

describe('a wedged pool', () => {
  test('refuses every change that sends messages until the kernel is told that the message counts', () => {
    const model = withOrigin();
    model.killAt('wedged');
    model.snapshot('a', 's');
    model.reboot();
    expect(model.find('s')?.active).toBe(true);
    const answer = lvm(model, 'lvcreate -T -kn -ay -n b -V 4M qubes_dom0/vm-pool');
    expect(answer.exitCode).toBe(5);
    expect(answer.stderr).toContain('already contain thin device with device_id 2.');
    expect(refusalOf(model.remove('s'))).toBe('wedged');
    expect(model.setTransactionId(7, 8)).toBe(false);
    expect(model.setTransactionId(1, 2)).toBe(true);
    expect(refusalOf(model.create('b', SIZE))).toBe('done');
    expect(model.readAt('s', 0, 5)).toBe('HELLO');
    expect(brokenInvariants(model.state())).toEqual([]);
  });
});

describe('a model', () => {
  test('is copied without either seeing the changes of the other', () => {
    const model = withOrigin();
    const copy = model.clone();
    copy.writeAt('a', 0, 'COPY!');
    copy.create('b', SIZE);
    model.remove('a');
    expect(copy.readAt('a', 0, 5)).toBe('COPY!');
    expect(model.find('b')).toBeUndefined();
  });

  test('survives being written down as data', () => {
    const model = withOrigin();
    model.snapshot('a', 'b');
    const again = lvmModelOf(structuredClone(model.state()));
    expect(again.state()).toEqual(model.state());
    expect(usedBlocks(again.state())).toBe(1);
    again.writeAt('b', 0, 'J');
    expect([again.readAt('a', 0, 5), again.readAt('b', 0, 5)]).toEqual(['HELLO', 'JELLO']);
  });

  test('forgets at a reboot what was open, and activates unless that is off or the LV is to be skipped', () => {
    const model = withOrigin();
    model.create('k', SIZE, { skip: true });
    model.open('a');
    model.reboot({ autoactivate: false });
    expect([model.find('a')?.active, model.find('a')?.open, model.state().pool.active]).toEqual([false, 0, false]);
    model.reboot();
    expect([model.find('a')?.active, model.find('k')?.active]).toEqual([true, false]);
  });
});
