import { describe, expect, test } from 'vitest';
import * as to from '../domain/commands.ts';
import { wayCommand } from '../domain/undo/past.ts';
import type { World } from '../runner/world.ts';
import { contentsOf, everyCrashOf, workWith } from './work.ts';

const PRIVATE = 'work:private';

/** A way back to `position`, and every world in which it was killed somewhere, rebooted and recovered. */
const everyCrashBack = (world: World, position: number, kind: 'undo' | 'redo' = 'undo'): Promise<readonly World[]> =>
  everyCrashOf(world, wayCommand(world, { kind, operation: 'c', position }));

const running = (): Promise<World> => workWith({ cur: 'D1', backs: ['D0'], session: 'D2' });

describe('a way back that is killed at any fault point is finished by recover, and nothing is left over', () => {
  test('of a stop: the content before it is committed again, the session is a revision', async () => {
    const world = await running();
    const { position } = world.host;
    await world.does(to.stop('work'));
    const worlds = await everyCrashBack(world, position);
    expect(worlds.length).toBeGreaterThanOrEqual(9);
    for (const one of worlds) expect(contentsOf(one, PRIVATE)).toEqual({ cur: 'D1', snap: null, backs: ['D1', 'D2'] });
  });

  test('of that undo: the session is committed again', async () => {
    const world = await running();
    const { position } = world.host;
    await world.does(to.stop('work'));
    const stopped = world.host.position;
    await world.does(wayCommand(world, { kind: 'undo', operation: 'c', position }));
    for (const one of await everyCrashBack(world, stopped, 'redo')) {
      expect(contentsOf(one, PRIVATE)).toEqual({ cur: 'D2', snap: null, backs: ['D1', 'D2', 'D1'] });
    }
  });

  test('of a removal: each disk is back under its name', async () => {
    const world = await workWith({ cur: 'D1', backs: ['D0'] });
    const { position } = world.host;
    await world.does(to.removeVm('work'));
    expect(contentsOf(world, PRIVATE)).toBeUndefined();
    const worlds = await everyCrashBack(world, position);
    expect(worlds.length).toBeGreaterThanOrEqual(6);
    for (const one of worlds) {
      expect(contentsOf(one, PRIVATE)).toEqual({ cur: 'D1', snap: null, backs: ['D0'] });
      expect(one.host.trash.size).toBe(0);
      await one.does(to.start('work'));
    }
  });

  test('of a creation: nothing carries its name, and its disks are in the trash', async () => {
    const world = await workWith({ cur: 'D1' });
    const { position } = world.host;
    await world.does(to.cloneVm('work', 'copy'));
    for (const one of await everyCrashBack(world, position)) {
      expect(contentsOf(one, 'copy:private')).toBeUndefined();
      expect([...one.host.trash.values()].map(({ from }) => from)).toEqual(['copy:private']);
    }
  });

  test('of a growth: the beginning is cut off a copy', async () => {
    const world = await workWith({ cur: 'D1' });
    const { position } = world.host;
    await world.does(to.resize(PRIVATE, 3 * 2 ** 30));
    for (const one of await everyCrashBack(world, position)) {
      expect(contentsOf(one, PRIVATE)).toMatchObject({ cur: 'D1', snap: null });
      expect(one.host.vms.get('work' as never)?.volumes['private' as never]).toMatchObject({
        spec: { bytes: 2 ** 31 },
        situation: { is: 'clean', current: { bytes: 2 ** 31 } },
      });
    }
  });
});
