import { describe, expect, test } from 'vitest';
import { volumesOf } from '../../domain/vm/vm.ts';
import * as to from '../domain/commands.ts';
import { guestWrites, observe } from '../runner/observe.ts';
import { crashAt, type World } from '../runner/world.ts';
import { contentsOf, ranWith, workWith } from './work.ts';

const refusalOf = async (world: World, command: Parameters<World['submit']>[0]): Promise<string> => {
  const { decision, ended } = await world.submit(command);
  if (!decision.ok) return decision.error.code;
  return ended && ended.is !== 'completed' ? `${ended.is}: ${ended.failure.code}` : 'done';
};

const volume = (world: World, key: string) => {
  const [vm, name] = key.split(':');
  const found = volumesOf(world.host.vms.get(vm as never) as never).find(({ spec }) => spec.name === name);
  if (!found) throw new Error(`there is no ${key}`);
  return found;
};

describe('failure points that are not crashes', () => {
  test('a device still open at stop: refused before anything is touched, and nothing is zeroed under its reader', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    guestWrites(world, 'work:root', 'R1');
    const device = world.model.open('vm-work-root-snap');
    const before = observe(world);
    expect(await refusalOf(world, to.stop('work'))).toBe('D_DEVICE_IN_USE');
    expect(observe(world)).toEqual(before);
    expect(device.readAt(0, 2)).toBe('R1');
    device.close();
    expect(await refusalOf(world, to.stop('work'))).toBe('done');
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
  });

  test('a device opened behind the stop’s back: it is renamed away, not zeroed, and gc erases it later', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    const { id } = world.accept(to.stop('work'));
    guestWrites(world, 'work:volatile', 'V1');
    const device = world.model.open('vm-work-volatile');
    const [recovered] = await world.recover();
    expect(recovered).toMatchObject({ command: id, outcome: 'completed' });
    expect(device.readAt(0, 2)).toBe('V1');
    expect([...world.host.trash.values()].map(({ from }) => from)).toEqual(['work:volatile']);
    device.close();
    expect(await refusalOf(world, to.collect(...world.host.trash.keys()))).toBe('done');
    expect(observe(world).stray).toEqual([]);
  });

  test('a stop does not wait until large disks are erased: they wait in the trash for gc, the small ones are gone', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    guestWrites(world, 'work:root', 'R1');
    for (let chunk = 0; chunk < 8; chunk++) world.model.writeAt('vm-work-volatile', chunk * 2 ** 16, 'large');
    world.slowBytes = 4 * 2 ** 16;
    const { ended } = await world.submit(to.stop('work'));
    expect(ended).toMatchObject({ is: 'completed', leftover: [expect.any(Number)] });
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
    expect([...world.host.trash.values()].map(({ from }) => from)).toEqual(['work:volatile']);
    expect(await refusalOf(world, to.start('work'))).toBe('done');
    expect(await refusalOf(world, to.collect(...world.host.trash.keys()))).toBe('done');
    expect(observe(world).stray).toEqual([]);
  });

  test('a stop is in the log before the first disk is erased, and an erasure cut off is done by the recovery', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    const changes = world.fork();
    await changes.does(to.stop('work'));
    const types = changes.log.map(({ event }) => event.type);
    expect(types.lastIndexOf('VmStopped')).toBeLessThan(types.lastIndexOf('DiskErased') - 1);
    for (let nth = 1; nth <= 12; nth++) {
      const fork = world.fork();
      fork.model.killAt('before', nth);
      await fork.dies(to.stop('work'), crashAt(null));
      await fork.recover();
      expect(contentsOf(fork, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
      expect([observe(fork).stray, fork.host.trash.size]).toEqual([[], 0]);
    }
  });

  test('two commits in one second: both are kept, under different numbers', async () => {
    const world = await workWith({ cur: 'D1' });
    await world.does(to.keep('work:private', 3), to.start('work'));
    for (const text of ['D2', 'D3']) {
      guestWrites(world, 'work:private', text);
      expect(await refusalOf(world, to.commit('work:private'))).toBe('done');
    }
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D3', snap: 'D3', backs: ['', 'D1', 'D2'] });
  });

  test('the clock stepped back before a commit: the newest revision still has the highest number and is the one kept', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    world.now -= 86_400_000;
    await ranWith(world, 'work', 'D2');
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
  });

  test('revisions_to_keep=-1 set while a session waits: refused, so no stale session can win later', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await world.reboot().recover();
    expect(await refusalOf(world, to.keep('work:private', -1))).toBe('D_DIRTY');
    expect(await refusalOf(world, to.keep('work:private', 0))).toBe('done');
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1', snap: 'D2' });
  });

  test('a template committed twice while an AppVM runs: the AppVM’s root still knows what it was made from', async () => {
    const world = await workWith({ cur: 'D1' });
    await world.does(to.start('work'));
    for (const text of ['T2', 'T3']) {
      await world.does(to.start('fedora'));
      guestWrites(world, 'fedora:root', text);
      await world.does(to.stop('fedora'));
    }
    const { situation } = volume(world, 'work:root');
    const template = volume(world, 'fedora:root').situation;
    const origin = situation.is === 'running' ? situation.session.origin : null;
    expect(origin).not.toBeNull();
    expect(template.is === 'clean' && template.current.id === origin).toBe(false);
    expect(contentsOf(world, 'work:root')?.snap).toBe('T1');
    await world.does(to.stop('work'), to.start('work'));
    expect(contentsOf(world, 'work:root')?.snap).toBe('T3');
  });

  test('the committed disk is missing: nothing takes its place without being asked to', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    world.model.remove('vm-work-private');
    expect(await refusalOf(world, to.start('work'))).toBe('abandoned: D_DRIFT');
    expect(contentsOf(world, 'work:private')).toEqual({ cur: null, snap: null, backs: ['D0'] });
    expect(contentsOf(world, 'work:root')).toBeUndefined();
  });

  test('a size that is no multiple of the extent, twice: the second time there is nothing to do', async () => {
    const world = await workWith({ cur: 'D1' });
    const odd = 2 ** 31 + 17 * 2 ** 20;
    expect(await refusalOf(world, to.resize('work:private', odd))).toBe('done');
    const { extents } = world.model.find('vm-work-private') ?? { extents: 0 };
    expect(extents).toBe(Math.ceil(odd / 2 ** 22));
    expect(await refusalOf(world, to.resize('work:private', odd))).toBe('done');
    expect(world.model.find('vm-work-private')?.extents).toBe(extents);
  });

  test('a shrink without --shrink is refused; with it the uncut state stays as a revision', async () => {
    const world = await workWith({ cur: 'D1' });
    const end = 2 ** 31 - 32;
    world.model.writeAt('vm-work-private', end, 'the end of it');
    expect(await refusalOf(world, to.resize('work:private', 2 ** 30))).toBe('D_SHRINK');
    expect(await refusalOf(world, to.resize('work:private', 2 ** 30, true))).toBe('done');
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: null, backs: ['D1'] });
    const back = [...world.model.state().lvs.values()].find(({ name }) => /^vm-work-private-\d+-back$/.test(name));
    expect(world.model.readAt(back?.name ?? '', end, 13)).toBe('the end of it');
  });

  test('a clone of a volume whose session waits is refused, so the newest data cannot be left behind', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await world.reboot().recover();
    expect(await refusalOf(world, to.cloneVm('work', 'copy'))).toBe('D_DIRTY');
    expect(await refusalOf(world, to.exportTo('work:private'))).toBe('D_DIRTY');
  });

  test('an import from another pool reads its device and never snapshots across', async () => {
    const world = await workWith({ cur: 'D1' });
    expect(await refusalOf(world, to.cloneVolume('far:private', 'work:private'))).toBe('done');
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'F1' });
  });
});

describe('a volume group that cannot be seen', () => {
  test('ends a command at once: nothing ran, so nothing is held', async () => {
    const world = await workWith({ cur: 'D1' });
    world.model.setVisible(false);
    expect(await refusalOf(world, to.start('work'))).toBe('abandoned: D_POOL_UNSEEN');
    expect(world.host.operations.size).toBe(0);
    world.model.setVisible(true);
    await world.does(to.start('work'));
  });

  test('keeps a command open whose process died: what it left cannot be known before the group is back', async () => {
    const world = await workWith({ cur: 'D1' });
    world.model.killAt('between', 1);
    expect(await world.dies(to.start('work'), { armed: true, reach: () => undefined })).toBe(true);
    world.model.setVisible(false);
    expect(await world.recover()).toEqual([]);
    expect([...world.host.operations.values()]).toMatchObject([{ name: 'StartVM', course: { is: 'forward' } }]);
    world.model.setVisible(true);
    expect((await world.recover()).at(-1)).toMatchObject({ name: 'StartVM', outcome: 'completed' });
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1', snap: 'D1' });
  });
});

describe('lvm killed inside, and what a boot leaves inactive', () => {
  for (const point of ['between', 'wedged'] as const) {
    test(`a phantom session (killed ${point}) is removed and made again with the data it was meant to have`, async () => {
      const world = await workWith({ cur: 'D1' });
      world.model.killAt(point, 2);
      expect(await world.dies(to.start('work'), { armed: true, reach: () => undefined })).toBe(true);
      await world.reboot().recover();
      expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: 'D1', backs: [''] });
      await world.does(to.start('work'));
    });

    test(`a phantom (killed ${point}) whose start is given up is gone too`, async () => {
      const world = await workWith({ cur: 'D1' });
      world.whenKilled = 'fail';
      world.model.killAt(point, 2);
      const { ended } = await world.submit(to.start('work'), { armed: true, reach: () => undefined });
      expect(ended?.is).toBe('abandoned');
      expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1', snap: null });
      expect(contentsOf(world, 'work:root')).toBeUndefined();
      await world.does(to.start('work'));
    });
  }

  test('leftovers that are inactive after a boot are found by name all the same: a stop removes them, a start starts', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await world.reboot({ autoactivate: false }).recover();
    expect(contentsOf(world, 'work:root')).toBeUndefined();
    expect(contentsOf(world, 'work:volatile')).toBeUndefined();
    await world.does(to.start('work'));
    expect(world.model.find('vm-work-private-snap')?.active).toBe(true);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1', snap: 'D2' });
  });

  test('a VM whose disks are all inactive is removed with all of them: no live name is left', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    await world.reboot({ autoactivate: false }).recover();
    await world.does(to.removeVm('work'));
    expect(
      [...world.model.state().lvs.values()].filter(({ name }) => /^vm-work-.*(?<!-trash-back)$/.test(name)),
    ).toEqual([]);
  });

  test('a revert to an inactive revision works', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    await world.reboot({ autoactivate: false }).recover();
    await world.does(to.revert('work:private'));
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D0', snap: null, backs: ['D1'] });
  });
});
