import { describe, expect, test } from 'vitest';
import type { Command } from '../../domain/decide.ts';
import * as to from '../domain/commands.ts';
import { observe } from '../runner/observe.ts';
import { Crash, type World } from '../runner/world.ts';
import { contentsOf, workWith } from './work.ts';

/** Runs a command while somebody else does something right before its `nth` step. */
const meddledWith = async (world: World, command: Command, nth: number, meddle: () => void): Promise<void> => {
  let steps = 0;
  world.now += 1000;
  const fault = {
    armed: true,
    reach: (point: string) => {
      if (point === 'before-step' && ++steps === nth) meddle();
    },
  };
  const { ended } = await world.submit(command, fault);
  expect(ended).toMatchObject({ failure: { code: 'D_DRIFT' } });
};

describe('somebody else changes a disk between the plan and its step', () => {
  test('renamed away: the step does not run, and recover takes back what stands', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'], session: 'D2' });
    // Steps of a stop: domain, root, private -> revision, private session -> private, volatile.
    await meddledWith(world, to.stop('work'), 4, () => world.model.rename('vm-work-private-snap', 'mine'));
    expect(contentsOf(world, 'work:private')).toEqual({ cur: null, snap: null, backs: ['D0', 'D1'] });
    await world.recover();
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: null, backs: ['D0'] });
    expect(world.host.operations.size).toBe(0);
    expect(world.model.find('mine')).toBeDefined();
    world.model.rename('mine', 'vm-work-private-snap');
    await world.does(to.stop('work'));
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
  });

  test('of another volume, after the swap of this one: both renames are taken back, the later one first', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'], session: 'D2' });
    await meddledWith(world, to.stop('work'), 5, () => world.model.rename('vm-work-volatile', 'mine'));
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D0', 'D1'] });
    const [recovered] = await world.recover();
    expect(recovered).toMatchObject({ outcome: 'abandoned' });
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: 'D2', backs: ['D0'] });
    world.model.rename('mine', 'vm-work-volatile');
    await world.does(to.stop('work'));
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D2', snap: null, backs: ['D1'] });
  });

  test('renamed back before recover: the command is finished', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await meddledWith(world, to.stop('work'), 4, () => world.model.rename('vm-work-private-snap', 'mine'));
    world.model.rename('mine', 'vm-work-private-snap');
    const [recovered] = await world.recover();
    expect(recovered?.outcome).toBe('completed');
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D2', snap: null });
  });

  test('removed: reported as drift with its id, everything else as before', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    await meddledWith(world, to.revert('work:private'), 1, () => {
      const back = [...world.model.state().lvs.values()].find(({ name }) => /^vm-work-private-\d+-back$/.test(name));
      world.model.remove(back?.name ?? '');
    });
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: null, backs: [] });
    expect(world.host.operations.size).toBe(0);
  });

  test('another disk put in its place: a name is no proof, so the impostor is neither used nor touched', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await meddledWith(world, to.stop('work'), 4, () => {
      world.model.rename('vm-work-private-snap', 'mine');
      world.model.create('vm-work-private-snap', 2 ** 31);
      world.model.writeAt('vm-work-private-snap', 0, 'impostor');
    });
    await world.recover();
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1', snap: null });
    expect(observe(world).foreign).toEqual([expect.stringMatching(/^vm-work-private-snap \S+ impostor$/)]);
  });

  test('the name a step needs is taken: the step does not run', async () => {
    const world = await workWith({ cur: 'D1' });
    await meddledWith(world, to.start('work'), 2, () => world.model.create('vm-work-private-snap', 2 ** 22));
    expect(observe(world).foreign).toHaveLength(1);
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1' });
    expect(contentsOf(world, 'work:root')).toBeUndefined();
  });

  test('while our process is dead: recover undoes what it cannot finish, and keeps its hands off the rest', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'], session: 'D2' });
    let steps = 0;
    const reach = (point: 'before-step' | 'after-step' | 'after-record' | 'before-commit') => {
      if (point === 'after-record' && ++steps === 3) throw new Crash(point);
    };
    expect(await world.dies(to.stop('work'), { armed: true, reach })).toBe(true);
    world.model.remove('vm-work-private-snap');
    const [recovered] = await world.recover();
    expect(recovered).toMatchObject({ outcome: 'abandoned', failure: { code: 'D_DRIFT' } });
    expect(contentsOf(world, 'work:private')).toEqual({ cur: 'D1', snap: null, backs: ['D0'] });
  });

  test('the way back is blocked too: stuck, reported, and nothing is forced', async () => {
    const world = await workWith({ cur: 'D1', session: 'D2' });
    await meddledWith(world, to.stop('work'), 4, () => {
      world.model.rename('vm-work-private-snap', 'mine');
      world.model.create('vm-work-private', 2 ** 22);
    });
    const [recovered] = await world.recover();
    expect(recovered?.outcome).toBe('stuck');
    expect(world.host.operations.size).toBe(1);
    world.model.remove('vm-work-private');
    expect((await world.recover())[0]?.outcome).toBe('abandoned');
    expect(contentsOf(world, 'work:private')).toMatchObject({ cur: 'D1' });
  });
});
