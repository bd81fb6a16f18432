import { describe, expect, test } from 'vitest';
import { brokenInvariants } from '../../infrastructure/drivers/lvm-model/invariants.ts';
import * as to from '../domain/commands.ts';
import { contentsOf, workWith } from '../scenarios/work.ts';
import { guestWrites } from './observe.ts';
import type { World } from './world.ts';

const ALONE = { armed: true, reach: () => undefined };

const noted = (world: World): readonly string[] =>
  world.log.flatMap(({ event }) =>
    event.type === 'PoolWounded' || event.type === 'PoolMended' ? [`${event.type} ${event.wound.is}`] : [],
  );

/** A checkpoint of a running VM, cut off while the kernel and LVM disagree about its snapshot. */
const cutOff = async (point: 'between' | 'wedged'): Promise<World> => {
  const world = await workWith({ cur: 'D1', session: 'D2' });
  world.model.killAt(point, 1);
  expect(await world.dies(to.commit('work:private'), ALONE)).toBe(true);
  return world;
};

describe('a pool that a crash wounded', () => {
  test('wedged: the snapshot counts as it was made, and the log tells', async () => {
    const world = await cutOff('wedged');
    // The VM goes on writing where only the process died: the snapshot must not have what comes later.
    guestWrites(world, 'work:private', 'later');
    const [mended] = await world.recover();
    expect(mended).toMatchObject({ name: 'pool lvm mended', outcome: 'completed' });
    expect(noted(world)).toEqual(['PoolWounded wedged', 'PoolMended wedged']);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2', snap: 'later' });
    expect(brokenInvariants(world.model.state())).toEqual([]);
  });

  test('phantom: it is taken off the list before anything else runs in the pool, then made by its own command', async () => {
    const world = await cutOff('between');
    const [mended, resumed] = await world.recover();
    expect(mended).toMatchObject({ name: 'pool lvm mended' });
    expect(resumed).toMatchObject({ name: 'CommitVolume', outcome: 'completed' });
    expect(noted(world)).toEqual(['PoolWounded phantom', 'PoolMended phantom']);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2', snap: 'D2' });
  });

  for (const autoactivate of [true, false]) {
    test(`wedged, and the host rebooted ${autoactivate ? 'with' : 'without'} its disks active: the same`, async () => {
      const world = await cutOff('wedged');
      await world.reboot({ autoactivate }).recover();
      expect(noted(world)).toEqual(['PoolWounded wedged', 'PoolMended wedged']);
      expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2', snap: 'D2' });
    });
  }

  test('torn: the volume group is restored, and what it then shows is mended in the same recovery', async () => {
    const world = await cutOff('wedged');
    world.model.tear();
    await world.reboot().recover();
    expect(noted(world)).toEqual(['PoolWounded torn', 'PoolMended torn', 'PoolWounded wedged', 'PoolMended wedged']);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2', snap: 'D2' });
  });

  test("somebody else's phantom is not ours to remove: nothing runs in that pool, others work on", async () => {
    const world = await workWith({ cur: 'D1' });
    world.model.killAt('between', 1);
    world.model.snapshot('vm-work-private', 'mine', { tags: [] });
    expect(await world.recover()).toEqual([]);
    expect(noted(world)).toEqual([]);
    expect(world.model.find('mine')).toBeDefined();
  });

  test('a pool without a wound costs no event', async () => {
    const world = await workWith({ cur: 'D1' });
    const events = world.log.length;
    await world.reboot().recover();
    expect(world.log.length).toBe(events);
  });

  test('mending that is killed half way begins again', async () => {
    const world = await cutOff('between');
    world.model.killAt('between', 1);
    expect(await world.recoveryDies(ALONE)).toBe(true);
    await world.reboot().recover();
    expect(noted(world).at(-1)).toMatch(/^PoolMended|^PoolWounded phantom/);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2' });
    expect(brokenInvariants(world.model.state())).toEqual([]);
  });
});
