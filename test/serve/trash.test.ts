import { beforeAll, describe, expect, test } from 'vitest';
import { foldTo } from '../../infrastructure/ledger/fold.ts';
import { commandsUpTo } from '../../infrastructure/ledger/queries.ts';
import * as to from '../domain/commands.ts';
import { type World, worldWithNetwork } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: World;
beforeAll(async () => {
  world = await worldWithNetwork();
});

/** A VM that had a session, removed: its disks wait in the trash. How many there are. */
const removes = async (name: string): Promise<number> => {
  await world.does(to.appVm(name, { template: 'debian' }), to.start(name), to.stop(name), to.removeVm(name));
  return inTrash();
};
const inTrash = (): number => foldTo(world.ledger).trash.size;
const collected = () =>
  commandsUpTo(world.ledger)
    .filter(({ name }) => name === 'CollectGarbage')
    .map(({ actor, reason, payload }) => ({
      by: actor.tool,
      reason,
      disks: (payload as { disks: string[] }).disks.length,
    }));

describe('while serve runs, what was removed', () => {
  test('goes ten minutes after its 48 hours, in the name of serve and with the reason; nothing goes before', async () => {
    const disks = await removes('spare');
    expect(disks).toBeGreaterThan(0);
    await world.starts();
    world.clock.step(48 * HOUR - 20 * MINUTE);
    await world.clock.pass(19 * MINUTE);
    expect([inTrash(), collected()]).toEqual([disks, []]);
    await world.clock.pass(2 * MINUTE);
    expect(inTrash()).toBe(disks);
    await world.clock.pass(10 * MINUTE);
    expect(inTrash()).toBe(0);
    expect(collected()).toEqual([{ by: 'serve', reason: 'its 48 hours in the trash are over', disks }]);
    expect(world.told).toContain('CollectGarbage completed');
    await world.stops();
  });

  test('stays when the clock was only wrong for a while', async () => {
    const disks = await removes('again');
    await world.starts();
    const before = collected().length;
    world.clock.step(100 * HOUR);
    await world.clock.pass(9 * MINUTE);
    world.clock.step(-100 * HOUR);
    await world.clock.pass(2 * HOUR);
    expect([inTrash(), collected().length]).toEqual([disks, before]);
    world.clock.step(49 * HOUR);
    await world.clock.pass(11 * MINUTE);
    expect([inTrash(), collected().length]).toEqual([0, before + 1]);
    await world.stops();
  });

  test('waits its time although there is a VM of that name again', async () => {
    const disks = await removes('third');
    await world.starts();
    world.clock.step(47 * HOUR);
    await world.does(to.appVm('third', { template: 'debian' }));
    await world.clock.pass(30 * MINUTE);
    expect(inTrash()).toBe(disks);
    await world.stops();
  });
});
